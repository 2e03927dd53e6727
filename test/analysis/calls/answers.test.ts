import { describe, expect, test } from '@jest/globals';
import { answersOf } from '../../../src/analysis/calls/answers.js';
import type { ByteRange, ScriptResult, CallResult } from '../../../src/analysis/calls/calls.js';

const result = (
  steps: readonly (Partial<CallResult> & { step: string })[],
  changes: Partial<ScriptResult> = {},
): ScriptResult => ({
  probe: 'a probe',
  patch: 7,
  scenario: 'bios-minimal',
  stage: 7,
  activate: false,
  at: 'early-idt',
  reached: true,
  steps: steps.map((step) => ({ status: 'done', events: [], ...step })),
  ...changes,
});

describe('the result of a step is a line', () => {
  test('with the return value, the mapping that was made, the C-bit and the memory type', () => {
    const map = { map: '0x1000..0x1fff', C: 0, type: 'WP', in: '__early_ioremap' };
    const enter = { enter: 'early_memremap_dec_wp' };
    const walk = { va: '0x1000', levels: [], pa: '0x7000', c: 0, type: 'WP' } as const;
    expect(
      answersOf(
        result([
          { step: 'early_memremap_dec_wp(initrd, 4096)', result: '0x1000', events: [enter, map] },
          { step: 'entry $wp', walk },
        ]),
      ),
    ).toEqual({
      '1 early_memremap_dec_wp(initrd, 4096)': 'returns 0x1000; map 0x1000..0x1fff C 0 type WP',
      '2 entry $wp': '0x7000 C=0 WP',
    });
  });

  test('with the first bytes, and whether they equal those of the region', () => {
    const bytes = (same: boolean): ByteRange => ({
      length: 32,
      hex: '30 37 30 37 '.repeat(8).trim(),
      text: '0707'.repeat(8),
      produced: { name: 'initrd', same },
    });
    const read = (same: boolean): Record<string, string> =>
      answersOf(result([{ step: 'read $p, 32 bytes', bytes: bytes(same), C: 1, type: 'WB' }]));
    expect(read(true)).toEqual({
      '1 read $p, 32 bytes': `${'30373037'.repeat(4)} |${'0707'.repeat(4)}| same bytes as initrd C=1 WB`,
    });
    expect(Object.values(read(false))[0]).toMatch(/\| differs from initrd/);
  });

  test('with no more than three events', () => {
    const events = [1, 2, 3, 4, 5].map((n) => ({ 'tlb-flush': `cr${String(n)}` }));
    expect(answersOf(result([{ step: 'f()', events }]))['1 f()']).toBe(
      'tlb-flush cr1; tlb-flush cr2; tlb-flush cr3; 2 more events',
    );
  });

  test('or the status of a step that was not run', () => {
    const answers = answersOf(
      result([
        { step: 'f()', status: 'absent', why: 'f is added by patch 7' },
        { step: 'read $x, 8 bytes', status: 'skipped' },
        { step: 'g()' },
      ]),
    );
    expect(Object.values(answers)).toEqual(['absent', 'skipped', 'done']);
  });
});

describe('a boot that ends', () => {
  const outcome = { kind: 'panic', where: 'copy_bootdata' } as const;

  test('before the label is the only result', () => {
    expect(answersOf(result([], { reached: false, outcome }))).toEqual({
      boot: 'ends before the label: panic in copy_bootdata',
    });
  });

  test('in a step is reported in addition to the step', () => {
    expect(answersOf(result([{ step: 'f()', status: 'ended' }], { outcome }))).toEqual({
      boot: 'ends in a step: panic in copy_bootdata',
      '1 f()': 'ends',
    });
  });
});
