import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readExpectation, type MatchExpectation } from '../../src/check/expectation.js';
import { match } from '../../src/check/match.js';
import { matchFileText, type MatchOutOptions } from '../../src/check/match-out.js';
import type { Trace, TraceEvent } from '../../src/trace/trace.js';
import { anyEvent, smallTrace, traceWith } from '../trace/helpers.js';

const run = { scenario: 'plain', stage: 8, without: ['09/initrd'], set: { cmdline: 'a=b' } };

function textOf(trace: Trace, options: Partial<MatchOutOptions> = {}): string {
  return matchFileText(trace, { run, patches: [7, 8], ...options });
}
function read(text: string): MatchExpectation {
  const expectation = readExpectation('m.yaml', text);
  if (expectation.expect !== 'match') throw new Error('not a match file');
  return expectation;
}

describe('a match file written from a trace', () => {
  test('has the telling events of each step, what was read, memory and the outcome', () => {
    const trace: Trace = {
      ...traceWith({
        first: [
          { console: 'a', in: 'f', file: 'f.c' },
          { map: '0x1', C: 0, in: 'f' },
        ],
        second: [
          { map: '0x2', C: 1, in: 'g', patch: 8, hunk: '08/x', n: 3 },
          { map: '0x3', C: 1, in: 'g', patch: 8, hunk: '08/x' },
          { wrmsr: 'SYSCFG', value: '0x940000', in: 'h' },
          { console: 'b' },
        ],
      }),
      consumed: [
        { name: 'initrd', by: 'find_cpio_data', intact: false, firstDifference: 0 },
        { name: 'initrd', by: 'unpack_to_rootfs', intact: true },
        { name: 'RSDP', by: 'acpi', intact: true },
      ],
    };
    expect(textOf(trace))
      .toBe(`# Written from a boot by sme-boot run --match-out. Delete what the test is not about.
# Patches with an event here, without which it fails: 08.
# Patches without an event here: 07.
expect: match
run: {scenario: plain, stage: 8, without: [09/initrd], set: {cmdline: a=b}}
match:
  - expect: {console: a, in: f}
    step: first
  - expect: {map: 0x2, C: 1, in: g, hunk: 08/x}
    step: second
  - expect: {wrmsr: SYSCFG, value: 0x940000, in: h}
    step: second
consumed:
  initrd: {by: find_cpio_data, intact: false}
  RSDP: {intact: true}
final:
  initrd: {state: ciphertext}
outcome: {kind: panic, where: panic, message: 'VFS: Unable to mount root fs'}
`);
  });

  test('may be about some steps and kinds', () => {
    const trace = traceWith({
      first: [{ console: 'a' }, { map: '0x1', C: 0 }],
      second: [{ map: '0x2', C: 1 }, { wrmsr: 'EFER' }],
    });
    const directives = (options: Partial<MatchOutOptions>): unknown[] =>
      read(textOf(trace, options)).directives.map(
        ({ patterns: [one] }) => Object.keys(one ?? {})[0],
      );
    expect(directives({})).toEqual(['console', 'wrmsr']);
    expect(directives({ steps: ['second'] })).toEqual(['wrmsr']);
    expect(directives({ kinds: ['map'] })).toEqual(['map', 'map']);
    expect(directives({ kinds: ['map'], steps: ['first'] })).toEqual(['map']);
    expect(directives({ kinds: ['dma'] })).toEqual([]);
  });

  test('matches text that would be a pattern', () => {
    const events: TraceEvent[] = [
      { console: '/dev/ram0/' },
      { panic: '$HOME' },
      { panic: '\\/x', where: '\\$y' },
      { fault: 'true', C: 0 },
      { fault: '# no comment: {}', why: ' ' },
    ];
    for (const event of events) {
      const trace = traceWith({ first: [event] });
      expect([event, match(read(textOf(trace)), trace).ok]).toEqual([event, true]);
    }
  });

  test('matches the trace, for any events', () => {
    const steps = fc.array(fc.array(anyEvent, { maxLength: 12 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(steps, (list) => {
        const trace = traceWith(Object.fromEntries(list.map((each, i) => [`s${String(i)}`, each])));
        const { ok, directives } = match(read(textOf(trace)), trace);
        expect(directives.filter(({ verdict }) => verdict.status !== 'found')).toEqual([]);
        expect(ok).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('does not match a trace with another end', () => {
    const text = textOf(smallTrace());
    const other: Trace = { ...smallTrace(), outcome: { kind: 'booted' } };
    expect(match(read(text), smallTrace()).ok).toBe(true);
    expect(match(read(text), other).ok).toBe(false);
  });
});
