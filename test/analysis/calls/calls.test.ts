import { describe, expect, test } from '@jest/globals';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { readScript } from '../../../src/analysis/calls/file.js';
import { printScripts } from '../../../src/analysis/calls/yaml.js';
import { valueText } from '../../../src/analysis/calls/values.js';
import {
  runScript,
  type ScriptResult,
  type CallResult,
} from '../../../src/analysis/calls/calls.js';
import { exhaustiveTest, firstOf } from '../../cases.js';
import { scenario, sha256 } from '../../helpers.js';

/** Runs steps on the small machine, its initrd at 0x7ff9e000. */
function run(
  at: string,
  steps: readonly string[],
  { stage = 18, activate = false, on = 'bios-minimal' } = {},
): ScriptResult {
  const text = `probe: a test\npatch: 7\nscenario: ${on}\nat: ${at}\ncalls:\n${steps
    .map((step) => `  - ${step}\n`)
    .join('')}`;
  return runScript(readScript('p.yaml', text), {
    scenario: scenario(on),
    scenarioDigest: 'test',
    stage,
    activate,
    cipher: nodeCipher,
    digest: sha256,
  });
}

/** The bytes of "070701", the magic of a new ASCII cpio. */
const MAGIC = '303730373031';
const map = (name: string): string[] => [
  `{ call: ${name}, args: [initrd, 4096], as: m }`,
  '{ entry: $m }',
  '{ read: $m, length: 6 }',
  '{ call: early_memunmap, args: [$m, 4096] }',
];

/** The leaf entry's last level, the end of the walk and the bytes of a {@link map}. */
function seen([, entry, read]: readonly CallResult[]) {
  const { levels = [], c, type } = entry?.walk ?? {};
  return [levels.at(-1)?.entry, c, type, read?.bytes?.hex === MAGIC];
}

describe('early mappings of a page of the initrd', () => {
  // __PAGE_KERNEL is 0x8000000000000163, the C-bit of Zen 1 bit 47, slot 5 of the PAT bits 7 and 3.
  test.each(
    firstOf(2, [
      ['early_memremap_enc', '0x800080007ff9e163', 1, 'WB', true],
      ['early_memremap_dec_wp', '0x800000007ff9e1eb', 0, 'WP', false],
      ['early_memremap_enc_wp', '0x800080007ff9e1eb', 1, 'WP', true],
      ['early_memremap_dec', '0x800000007ff9e163', 0, 'WB', false],
      ['early_memremap', '0x800080007ff9e163', 1, 'WB', true],
      ['early_ioremap', '0x800000007ff9e163', 0, 'WB', false],
    ]),
  )('%s, where the initrd is encrypted', (name, entry, c, type, magic) => {
    expect(seen(run('reserve_initrd', map(name)).steps)).toEqual([entry, c, type, magic]);
  });

  test.each([
    ['early_memremap_enc', 1, false],
    ['early_memremap_dec', 0, true],
  ])('%s, before it is', (name, c, magic) => {
    const { steps } = run('early_ioremap_init', map(name), { stage: 7, activate: true });
    expect(seen(steps).slice(1)).toEqual([c, 'WB', magic]);
  });

  exhaustiveTest('read the initrd’s bytes or others, as reported', () => {
    const [, , read] = run('reserve_initrd', map('early_memremap_dec')).steps;
    expect(read).toMatchObject({ pa: '0x7ff9e000', C: 0, type: 'WB' });
    expect(read?.bytes?.produced).toEqual({ name: 'initrd', same: false });
    const [, , right] = run('reserve_initrd', map('early_memremap_enc')).steps;
    expect(right?.bytes).toMatchObject({ text: '070701', produced: { same: true } });
  });

  test('are absent before their patch; steps that need them are skipped', () => {
    const { steps, reached } = run('reserve_initrd', map('early_memremap_dec'), { stage: 6 });
    expect(reached).toBe(true);
    expect(steps.map(({ status }) => status)).toEqual(['absent', 'skipped', 'skipped', 'skipped']);
    expect(steps[0]?.why).toBe('early_memremap_dec is added by patch 7');
  });
});

describe('PAT slot 5 through an early mapping', () => {
  const slot5 = [
    "{ call: __early_ioremap, args: [initrd, 4096, '0x80000000000001ebn'], as: m }",
    '{ entry: $m }',
  ];
  test.each([
    ['mtrr_bp_init', 0, 'WC'],
    ['mtrr_bp_init', 1, 'WP'],
    // The reset value of slot 5 (APM 7.8.2).
    ['early_ioremap_init', 1, 'WT'],
  ])('after %s at stage %i is %s', (at, stage, type) => {
    expect(run(at, slot5, { stage }).steps[1]?.walk?.type).toBe(type);
  });

  test('stays write-combining on an Intel processor', () => {
    const on = 'intel';
    expect(run('mtrr_bp_init', slot5, { stage: 1, on }).steps[1]?.walk?.type).toBe('WC');
  });
});

describe('a step', () => {
  test('has the events of the kernel during it', () => {
    const [step] = run('init_mem_mapping', [
      '{ call: sme_early_mem_enc, args: [initrd, 4096] }',
    ]).steps;
    const kinds = step?.events.map((event) => Object.keys(event)[0]);
    expect(kinds?.slice(0, 2)).toEqual(['tlb-flush', 'cache-flush']);
    expect(step?.events).toContainEqual(
      expect.objectContaining({ encrypt: '0x7ff9e000..0x7ff9efff initrd', bytes: 4096, patch: 8 }),
    );
  });

  test('on the bus reads DRAM, and with wbinvd the written-back cache lines', () => {
    const bus = '{ bus: initrd, length: 6 }';
    const flushed = '{ bus: initrd, length: 6, wbinvd: true }';
    const call = (name: string): string => `{ call: ${name}, args: [initrd, 4096] }`;
    const { steps } = run('init_mem_mapping', [
      bus,
      call('sme_early_mem_enc'),
      bus,
      flushed,
      '{ read: initrd, length: 6 }',
      call('sme_early_mem_dec'),
      flushed,
    ]);
    const plain = steps.map(({ bytes }) => bytes && bytes.hex === MAGIC);
    expect(plain).toEqual([true, undefined, true, false, true, undefined, true]);
  });

  test('writes through the mapping, and reads back from there', () => {
    const { steps } = run('reserve_initrd', [
      '{ write: initrd, bytes: kernel }',
      '{ read: initrd, length: 6 }',
      '{ write: __va(initrd+1), bytes: 0x00_ff }',
      '{ read: initrd, length: 4 }',
    ]);
    expect(steps.map(({ bytes }) => bytes?.text)).toEqual(['kernel', 'kernel', '..', 'k..n']);
    expect(steps[3]?.bytes?.produced?.same).toBe(false);
  });

  test('has 64 bytes in its result and compares all', () => {
    const [step] = run('init_mem_mapping', ['{ bus: initrd, length: 4096 }']).steps;
    expect(step?.bytes).toMatchObject({ length: 4096, produced: { name: 'initrd', same: true } });
    expect(step?.bytes?.hex).toHaveLength(128);
  });

  test('that faults is fixed up by the kernel’s handler, or ends the script', () => {
    const { steps, outcome } = run('reserve_initrd', [
      '{ read: 16, length: 1 }',
      '{ call: sme_me_mask }',
    ]);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({
      status: 'ended',
      why: expect.stringMatching(/^panic in page_fault/),
    });
    expect(outcome?.kind).toBe('panic');
    const early = run('early-idt', ['{ read: initrd, length: 6 }'], { stage: 0 });
    expect(early.steps[0]?.events[0]).toMatchObject({ handler: 'early_idt_handler_array' });
    expect(early.steps[0]).toMatchObject({ status: 'done', bytes: { hex: MAGIC } });
  });

  test('reports a translation as stale that only the TLB has', () => {
    const { steps } = run('early-idt', [
      '{ call: create_unencrypted_mapping, args: [__va(boot params), 4096] }',
      '{ read: boot params+0x202, length: 4 }',
      '{ call: clear_mapping, args: [__va(boot params), 4096] }',
      '{ entry: boot params }',
    ]);
    expect(steps[1]).toMatchObject({ C: 0, bytes: { text: 'HdrS' } });
    expect(steps[3]?.walk).toMatchObject({ pa: '0x90000', c: 0, stale: true });
    expect(steps[3]?.walk?.levels.at(-1)?.kind).toBe('not-present');
  });

  test('accepts numbers, 64-bit values, places, macros, texts and results', () => {
    const { steps } = run('reserve_initrd', [
      '{ call: __sme_pa, args: [init_level4_pgt], as: cr3 }',
      '{ call: __sme_va, args: [$cr3+8] }',
      "{ call: __sme_va, args: ['0x800000001000n'] }",
      '{ call: cpu_has, args: [{ text: X86_FEATURE_SME }] }',
      '{ call: early_memremap, args: [__pa(_text), 4096], as: m }',
      '{ entry: $m }',
    ]);
    // init_level4_pgt is at 0x1b04000; the direct map begins at 0xffff880000000000.
    expect(steps.map(({ result }) => result)).toEqual([
      '0x800001b04000',
      '0xffff880001b04008',
      '0xffff880000001000',
      'true',
      '0xffffffffff200000',
      undefined,
    ]);
    expect(steps[5]?.walk?.pa).toBe('0x1000000');
  });
});

describe('bus addresses', () => {
  test('of a device by its name', () => {
    const { steps } = run(
      'drivers',
      [
        '{ call: phys_to_dma, args: [{ device: nvme }, initrd], as: bus }',
        '{ call: dma_capable, args: [{ device: ahci }, $bus, 4096] }',
        '{ call: swiotlb_phys_to_dma, args: [{ device: ahci }, initrd] }',
      ],
      { on: 'bios-devices' },
    );
    expect(steps.map(({ result }) => result)).toEqual(['0x80007ff9e000', 'false', '0x7ff9e000']);
    expect(steps[0]?.args).toEqual(['nvme', '0x7ff9e000']);
  });
});

describe('a call script', () => {
  exhaustiveTest('whose boot ends before the label has an outcome and no steps', () => {
    const { reached, steps, outcome } = run('reserve_initrd', ['{ call: sme_me_mask }'], {
      stage: 7,
      activate: true,
    });
    expect([reached, steps, outcome?.kind]).toEqual([false, [], 'panic']);
  });

  test('at the last label can still call the kernel', () => {
    const { steps, outcome } = run('kexec', ['{ call: sme_get_me_loss }']);
    expect([steps[0]?.result, outcome]).toEqual(['0x5', undefined]);
  });

  exhaustiveTest('prints the same YAML twice', () => {
    const one = run('reserve_initrd', map('early_memremap_dec'));
    const text = printScripts([one]);
    expect(printScripts([run('reserve_initrd', map('early_memremap_dec'))])).toBe(text);
    expect(text).toMatch(/^ {4}- step: early_memremap_dec\(initrd, 4096\)\n {6}status: done$/m);
    expect(text).toMatch(/^ {8}- \{map: 0xffffffffff200000\.\..*C: 0, type: WB,/m);
  });

  test.each(
    firstOf(2, [
      ['nowhere', '{ call: sme_me_mask }', /^E_LABEL: p\.yaml:4:5, at: .*found nowhere/],
      [
        'reserve_initrd',
        '{ read: initrdd, length: 1 }',
        /^E_PLACE: p\.yaml:6:\d+, calls\[0\]\.read: .*found initrdd/,
      ],
      [
        'reserve_initrd',
        '{ call: early_memremap, args: [nowhere, 1] }',
        /^E_PLACE: .*calls\[0\]\.args\[0\]/,
      ],
      ['reserve_initrd', '{ bus: 0xffffffff00000000, length: 1 }', /^E_NOT_MAPPED: .*calls\[0\]/],
      [
        'reserve_initrd',
        '{ write: initrd, bytes: 0xabc }',
        /^E_PROBE_BYTES: .*calls\[0\].*found 0xabc/,
      ],
      [
        'reserve_initrd',
        '{ call: phys_to_dma, args: [{ device: nic }, 0] }',
        /^E_PROBE_ARGUMENT: .*calls\[0\]\.args\[0\]: expected none: the kernel has found no device/,
      ],
      [
        'reserve_initrd',
        '{ call: early_memremap, args: [0x8000000000000163, 1] }',
        /^E_PROBE_ARGUMENT: .*0x…n/,
      ],
      [
        'reserve_initrd',
        '{ call: __early_ioremap, args: [initrd, 4096, 1] }',
        /^E_PROBE_CALL: .*calls\[0\]: __early_ioremap does not accept these arguments/,
      ],
    ]),
  )('at %s with %s is refused', (at, step, message) => {
    expect(() => run(at, [step])).toThrow(message);
  });

  test('with an offset from a result that is not a number is refused', () => {
    const steps = ['{ call: early_iounmap, args: [0, 0], as: none }', '{ entry: $none+8 }'];
    expect(() => run('reserve_initrd', steps)).toThrow(/^E_PROBE_RESULT: .*calls\[1\]\.entry/);
  });
});

test('valueText prints hexadecimal numbers, and structures to a limited depth', () => {
  const inner: Record<string, unknown> = { list: [1, 0n] };
  inner.self = inner;
  expect(valueText(-22)).toBe('0xffffffffffffffea');
  expect(valueText(inner)).toBe(
    '{list: [0x1, 0x0], self: {list: [0x1, 0x0], self: {list: …, self: …}}}',
  );
  expect([valueText(undefined), valueText(null), valueText('a')]).toEqual([
    undefined,
    'NULL',
    '"a"',
  ]);
});
