import { describe, expect, test } from '@jest/globals';
import { readScript } from '../../../src/analysis/calls/file.js';
import { patchAdding, seriesFunctions } from '../../../src/series/series-names.js';

const HEAD = `probe: a page
patch: 7
scenario: bios-minimal
at: reserve_initrd
`;
const probe = (calls: string, head = HEAD) => readScript('p.yaml', `${head}calls:\n${calls}`);

describe('a call script file', () => {
  test('has calls, reads, writes, bus reads and page walks', () => {
    const { probe: read, file } =
      probe(`  - { call: early_memremap_dec, args: [initrd, 4096], as: dec }
  - { read: $dec+8, length: 16 }
  - { write: $dec, bytes: 0x00ff }
  - { bus: initrd, length: 4, wbinvd: true }
  - { entry: 0xffffffff81000000 }
  - { call: sme_me_mask }
`);
    expect(file).toBe('p.yaml');
    expect(read.calls).toEqual([
      { call: 'early_memremap_dec', args: ['initrd', 4096], as: 'dec' },
      { read: '$dec+8', length: 16 },
      { write: '$dec', bytes: '0x00ff' },
      { bus: 'initrd', length: 4, wbinvd: true },
      { entry: '0xffffffff81000000' },
      { call: 'sme_me_mask', args: [] },
    ]);
  });

  test.each([
    [
      'an unknown key',
      '  - { call: sme_me_mask, arg: [] }',
      /^E_PROBE: p\.yaml:6:26, calls\[0\]\.arg: unknown key/,
    ],
    ['a step of no kind', '  - { calls: sme_me_mask }', /^E_PROBE: p\.yaml:6:\d+, calls\[0\]/],
    [
      'a length of 0',
      '  - { read: initrd, length: 0 }',
      /calls\[0\]\.length: expected at least 1, found 0/,
    ],
    [
      'a length of a gigabyte',
      '  - { bus: initrd, length: 1073741824 }',
      /calls\[0\]\.length: expected at most 1048576/,
    ],
    ['no step', '  []', /^E_PROBE: .*calls: expected not empty/],
    [
      'a misspelt function',
      '  - { call: early_memremap_de }',
      /^E_PROBE_FUNCTION: p\.yaml:6:13, calls\[0\]\.call: .*found early_memremap_de; did you mean early_memremap_dec\?$/,
    ],
    ['a constant without a body', '  - { call: X86_FEATURE_SME }', /^E_PROBE_FUNCTION/],
    [
      'too few arguments',
      '  - { call: early_memremap_dec, args: [initrd] }',
      /^E_PROBE_ARITY: p\.yaml:6:39, calls\[0\]\.args: expected 2 arguments of early_memremap_dec, found 1/,
    ],
    [
      'too many arguments',
      '  - { call: sme_me_mask, args: [1] }',
      /^E_PROBE_ARITY: .*expected 0 arguments of sme_me_mask, found 1/,
    ],
    [
      'a result of no step',
      '  - { read: $dec, length: 1 }',
      /^E_PROBE_RESULT: p\.yaml:6:13, calls\[0\]\.read: .*found \$dec/,
    ],
    [
      'a result of a later step',
      '  - { call: __sme_va, args: [$a] }\n  - { call: sme_me_mask, as: a }',
      /^E_PROBE_RESULT: p\.yaml:6:30, calls\[0\]\.args\[0\]/,
    ],
    ['a result inside a macro', '  - { entry: __va($a) }', /^E_PROBE_RESULT: .*calls\[0\]\.entry/],
    [
      'a result twice',
      '  - { call: sme_me_mask, as: a }\n  - { call: sme_me_mask, as: a }',
      /^E_PROBE_RESULT: p\.yaml:7:30, calls\[1\]\.as/,
    ],
    ['what is not YAML', '  - { call', /^E_YAML/],
  ])('with %s is refused', (_what, calls, message) => {
    expect(() => probe(`${calls}\n`)).toThrow(message);
  });

  test('of a patch that the series does not have is refused', () => {
    const calls = '  - { call: sme_me_mask }\n';
    expect(() => probe(calls, HEAD.replace('7', '19'))).toThrow(
      /patch: a patch is a number from 1 to 18/,
    );
    expect(() => probe(calls, HEAD.replace('at: ', 'after: '))).toThrow(/^E_PROBE: .*at/);
  });
});

describe('the names of the series', () => {
  const functions = seriesFunctions();

  test('are those of the base and those that patches add', () => {
    expect(functions.get('early_memremap')).toEqual({ arity: 2 });
    expect(functions.get('early_memremap_dec_wp')).toEqual({ arity: 2, patch: 7 });
    expect(functions.get('set_memory_dec')).toEqual({ arity: 2, patch: 10 });
  });

  test('have the arity of the body with the most parameters: a weak default has none', () => {
    // lib/swiotlb.c's swiotlb_set_mem_dec() is empty, that of mem_encrypt.c takes an address and a size.
    expect(functions.get('swiotlb_set_mem_dec')).toEqual({ arity: 2, patch: 13 });
  });

  test('of variables and their parts are known with their patch', () => {
    expect(['sme_me_mask', 'sme_me_loss', 'me_early_buffer', '_text'].map(patchAdding)).toEqual([
      3,
      3,
      8,
      undefined,
    ]);
  });
});
