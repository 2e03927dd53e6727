/** An executed boot in the viewer, against its trace and the command line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { wordsOf } from '../../src/view/boot-of.js';
import type { Choice } from '../../src/view/choice.js';
import type { Advance, Setup } from '../../src/view/messages.js';
import { elf, write } from '../cli/code-image.js';
import { sme } from '../cli/io.js';
import { choice, scenarios, Session } from './session.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');
/** mov rsp, STACK; mov ecx, EFER; rdmsr; wrmsr; call start_kernel */
const MAIN = '48c7c4f01f0001 b9800000c0 0f32 0f30 e802000000';
const HANG = 'ebfe';
/**
 * mov rax, [0x72008]; bts rax, 47; mov [0x72008], rax; wbinvd; mov edx, COM1; prints `x` and a new line; then runs
 * `mov ecx, 2_000_000; loop` and calls sched_init, which halts.
 */
const KERNEL = '488b042508200700 480fbae82f 4889042508200700 0f09 baf8030000 b078ee b00aee';
const LOOP = 'b980841e00 e2fe';
const HALT = 'f4';

const code = bytes(MAIN + HANG + KERNEL + LOOP + HALT);
const at = bytes(MAIN + HANG).length;
const image = elf(code, {
  _text: 0,
  start_kernel: at,
  sched_init: code.length - 1,
  _end: 0x2000,
});

const executed = (given: Partial<Choice> = {}): Choice =>
  choice('firmware-syscfg', { execute: true, ...given });
const setup = (given: Partial<Setup> = {}): Partial<Setup> => ({
  scenarios: scenarios('firmware-syscfg'),
  files: { kernel: { name: 'tiny', bytes: image } },
  sanitize: undefined,
  ...given,
});

let dir: string;
let file: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-view-'));
  file = write(dir, 'tiny', image);
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** Boots to the end; what each answer says. */
function advances(session: Session, of: Choice): Advance[] {
  session.ask('boot', { side: 'shown', choice: of });
  const all: Advance[] = [];
  do all.push(session.ask('step', { side: 'shown' }));
  while (all.at(-1)?.ended !== true);
  return all;
}

describe('an executed boot in the viewer', () => {
  test('comes to its steps one by one, with the instructions so far, and ends as in a terminal', async () => {
    const all = advances(new Session(setup()), executed());
    expect(all.flatMap(({ steps }) => steps.map(({ label }) => label))).toEqual([
      'loader',
      '_text',
      'start_kernel',
      'sched_init',
    ]);
    const counts = all.map(({ instructions }) => instructions ?? NaN);
    expect([...counts].sort((a, b) => a - b)).toEqual(counts);
    // Answers come while a step runs.
    expect(all.some(({ steps, ended }) => steps.length === 0 && !ended)).toBe(true);
    const { out } = await sme(['run', 'firmware-syscfg', '--kernel', file, '--execute']);
    const { kind, where, message } = all.at(-1)?.steps.at(-1)?.outcome ?? { kind: '' };
    const count = (counts.at(-1) ?? 0).toLocaleString('en');
    expect(out).toContain(`${kind} in ${where}: ${message}, after ${count} instructions`);
    expect(kind).toBe('halt');
  });

  test('shows after each step, in any order, what inspect shows at the next', async () => {
    const session = new Session(setup());
    session.boot(executed());
    const next = { start_kernel: 'sched_init', _text: 'start_kernel' };
    for (const [label, stop] of Object.entries(next)) {
      const { out } = await sme([
        ...['inspect', 'firmware-syscfg', '--kernel', file, '--execute', '--at', stop],
        ...['--regs', '--mem', '0x72008:8', '--format', 'json'],
      ]);
      const { regs, mem } = JSON.parse(out) as { regs: object; mem: { bytes: string } };
      const frame = session.ask('frame', { label });
      expect([label, ...frame.cpus]).toEqual([label, regs]);
      const { dram } = session.ask('memory', { label, place: '0x72008', length: 8 });
      expect([label, Buffer.from(dram).toString('hex')]).toEqual([label, mem.bytes]);
      expect(frame.what).toBe(`the code from the entry of ${label} to that of ${stop}`);
      expect(frame.reads).toBeUndefined();
      expect(frame.reports).toBeUndefined();
    }
    expect(session.ask('frame', { label: '_text' }).screen).toEqual([]);
    expect(session.ask('frame', { label: 'start_kernel' }).screen).toEqual(['x']);
    expect(session.ask('frame', { label: 'sched_init' }).what).toBe(
      'the code from the entry of sched_init on',
    );
  });

  test('has the events of its trace, also while it runs', async () => {
    const session = new Session(setup());
    session.ask('boot', { side: 'shown', choice: executed() });
    const seen = new Map<string, unknown>();
    for (let ended = false; !ended;) {
      const advance = session.ask('step', { side: 'shown' });
      for (const { label } of advance.steps)
        seen.set(label, session.ask('frame', { label }).events);
      // An earlier state between two parts of a step does not change what follows.
      session.ask('tables', { label: 'loader', cpu: 0 });
      ({ ended } = advance);
    }
    const { out } = await sme([
      ...['run', 'firmware-syscfg', '--kernel', file, '--execute', '--format', 'json'],
    ]);
    const { steps } = JSON.parse(out) as {
      steps: { label: string; events: { outcome?: string }[] }[];
    };
    const expected = steps.map(({ label, events }): [string, unknown] => [
      label,
      events.filter(({ outcome }) => outcome === undefined),
    ]);
    expect([...seen]).toEqual(expected);
    expect(JSON.stringify(seen.get('start_kernel'))).toContain('"protect"');
  });

  test('is watched by the sanitizer where that is asked for', () => {
    const session = new Session(setup({ sanitize: true }));
    const { words } = session.ask('boot', { side: 'shown', choice: executed() });
    expect(words).toContain('--sanitize');
    session.boot(executed());
    expect(session.ask('frame', { label: 'start_kernel' }).reports).toEqual(expect.any(Array));
  });

  test('ends at the return of a function, at a number of instructions, and where it is stopped', () => {
    const session = new Session(setup());
    const outcomeOf = (of: Choice) => session.boot(of).at(-1)?.outcome;
    expect(outcomeOf(executed({ until: 'sched_init:return' }))?.kind).toBe('halt');
    expect(outcomeOf(executed({ most: 1000 }))).toMatchObject({
      kind: 'limit',
      where: 'start_kernel+0x27',
    });
    session.ask('boot', { side: 'shown', choice: executed() });
    for (let i = 0; i < 3; i++) session.ask('step', { side: 'shown' });
    expect(session.ask('stop', { side: 'shown' })).toBeNull();
    const { steps, ended } = session.ask('step', { side: 'shown' });
    expect([steps.map(({ label }) => label), ended]).toEqual([['start_kernel'], true]);
    expect(steps[0]?.outcome).toMatchObject({ kind: 'interrupted', where: 'start_kernel+0x27' });
    expect(steps[0]?.outcome?.message).toMatch(/^stopped in the page, at /);
    expect(session.ask('step', { side: 'shown' })).toMatchObject({ steps: [], ended: true });
  });

  test('names its regions and the functions that it came to', () => {
    const session = new Session(setup());
    session.boot(executed());
    const names = session.ask('names', { label: 'start_kernel' });
    expect(names).toEqual(expect.arrayContaining(['initrd', 'boot params', 'start_kernel']));
    expect(names).not.toContain('loader');
  });

  test('has no reasons for memory in the clear, and says so', () => {
    const session = new Session(setup());
    session.boot(executed());
    const { ranges, encryption } = session.ask('exposure', { label: 'start_kernel' });
    expect(encryption).toEqual([0]);
    const kernel = ranges.filter(({ owner }) => owner.kind !== 'firmware');
    expect(kernel.length).toBeGreaterThan(0);
    expect(new Set(kernel.map(({ why }) => why.reason))).toEqual(new Set(['not-known']));
  });

  test('differs from another by events, outcome and memory', () => {
    const session = new Session(setup());
    session.boot(executed({ most: 1000 }), 'other');
    session.boot(executed());
    const { traces, at: where, memory } = session.ask('difference', { label: 'sched_init' });
    expect(where).toBe('start_kernel');
    expect(traces?.outcome).toBeDefined();
    expect(memory).toEqual([]);
  });

  test.each([
    ['the built-in kernel', {}, {}, 'no code that could be executed'],
    ['a function that the image has not', undefined, { until: 'nope' }, 'E_LABEL'],
    ['the decompressor of what is no bzImage', undefined, { entry: 'decompressor' }, 'bzImage'],
    ['an unknown scenario', undefined, { scenario: 'nope' }, 'E_SCENARIO_UNKNOWN'],
  ] as const)('refuses %s', (_name, files, given, message) => {
    const session = new Session(setup(files && { files }));
    expect(() => session.ask('boot', { side: 'shown', choice: executed(given) })).toThrow(message);
  });
});

test.each([
  [{}, undefined, '--execute --kernel tiny'],
  [{ until: 'f', most: 9 }, undefined, '--execute --until f --max-instructions 9 --kernel tiny'],
  [{ entry: 'decompressor' as const }, undefined, '--execute --entry decompressor --kernel tiny'],
  [{ set: ['a=b'] }, true, '--execute --set a=b --kernel tiny --sanitize'],
  [{ stage: 3 }, false, '--execute --kernel tiny'],
])('the command line of %j', (given, sanitize, expected) => {
  const { files = {}, scenarios: texts = [] } = setup();
  const words = wordsOf(executed(given), { scenarios: texts, files, sanitize });
  expect(words).toBe(`sme-boot run firmware-syscfg ${expected}`);
});
