import { describe, expect, test } from '@jest/globals';
import { SETUP_PARAMS } from '../../../src/linux/init/main/early-param.js';
import { REASONS } from '../../../src/linux/options/types.js';
import { CORE_OPTIONS } from '../../../src/linux/options/core.js';
import { DRIVER_OPTIONS } from '../../../src/linux/options/drivers.js';
import { MODULE_OPTIONS } from '../../../src/linux/options/modules.js';
import { X86_OPTIONS } from '../../../src/linux/options/x86.js';
import {
  notModelledOf,
  OPTIONS,
  reasonOf,
  rowsOf,
  withoutEffect,
} from '../../../src/linux/options/options.js';

/** Modelled options that no parser is registered for: the kernel looks for them in the line itself. */
const LOOKED_FOR = ['crashkernel=', 'dis_ucode_ldr'];

describe('the list of options', () => {
  test.each([
    ['x86', X86_OPTIONS],
    ['core', CORE_OPTIONS],
    ['drivers', DRIVER_OPTIONS],
    ['modules', MODULE_OPTIONS],
  ])('is sorted by name: %s', (_area, rows) => {
    const names = rows.map(([name]) => name);
    expect(names).toEqual([...names].sort());
  });

  test('has each name once', () => {
    const names = OPTIONS.map(([name]) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test('calls those modelled that have a parser, and no others', () => {
    const modelled = OPTIONS.filter(([, , , mark]) => mark === 'modelled').map(([name]) => name);
    const parsed = [...new Set(SETUP_PARAMS.map(({ str }) => str)), ...LOOKED_FOR];
    expect(modelled.sort()).toEqual(parsed.sort());
  });

  test('says of a parser what the row says of it: early or not', () => {
    for (const { str, early } of SETUP_PARAMS) {
      const row = OPTIONS.find(([name]) => name === str);
      expect([str, row?.[1]]).toEqual([str, early ? 'early' : 'setup']);
    }
  });

  test('gives a reason for each that is irrelevant, and uses each reason', () => {
    const marks = new Set(OPTIONS.map(([, , , mark]) => mark));
    for (const reason of Object.keys(REASONS)) expect([...marks]).toContain(reason);
    for (const mark of marks) {
      const known = mark === 'modelled' || mark === 'named' || (reasonOf(mark) ?? '') !== '';
      expect([mark, known]).toEqual([mark, true]);
    }
  });

  test('names a file of the kernel for each', () => {
    for (const [name, , file] of OPTIONS)
      expect([name, file]).toEqual([name, expect.stringMatching(/^[\w./-]+\.(c|h|txt)$/)]);
  });
});

describe('a word of the line', () => {
  const names = (param: string, val?: string): string[] =>
    rowsOf({ param, val }).map(([name]) => name);

  test.each<[string, string | undefined, string[]]>([
    ['mem', '2G', ['mem']],
    ['memx', '2G', []],
    ['nr-cpus', '2', ['nr_cpus']],
    ['amd_iommu', 'off', ['amd_iommu=']],
    ['amd_iommu', undefined, []],
    ['amd_iommu_dump', undefined, ['amd_iommu_dump']],
    ['ivrs_ioapic[7]', '00:14.0', ['ivrs_ioapic']],
    ['ro', undefined, ['ro']],
    ['root', '/dev/sda', ['root=']],
    ['rocket', undefined, []],
    ['eagerfpu', 'off', ['eagerfpu=off']],
    ['kvm-amd.npt', '0', ['kvm_amd.npt']],
  ])('%s=%s means %j', (param, val, expected) => {
    expect(names(param, val)).toEqual(expected);
  });
});

describe('what of a line is not modelled', () => {
  const left = (line: string): string[] =>
    notModelledOf(line, ['mem_encrypt']).map(({ option, why }) => `${option}: ${why}`);

  test('modelled, irrelevant and foreign options are not in it', () => {
    expect(left('mem=2G iommu=pt nokaslr ro root=/dev/ram0 mem_encrypt=on BOOT_IMAGE=/x')).toEqual(
      [],
    );
  });
  test('options of 4.6 are, with their file; words that it does not know; parameters of modules', () => {
    expect(left('quiet splash nvme.x=1 a-b="c d" quiet')).toEqual([
      'quiet: an option of 4.6, init/main.c',
      'splash: unknown to 4.6: passed to init',
      'nvme.x=1: a parameter of a module, which 4.6 leaves to who loads it',
      'a-b="c d": unknown to 4.6: passed to init',
    ]);
  });
  test('mem_encrypt is unknown to 4.6 alone', () => {
    expect(notModelledOf('mem_encrypt=on', [])).toHaveLength(1);
  });
  test('values of modelled options are, where the model does not have them', () => {
    expect(left('acpi=strict acpi=off pci=noacpi pci=nommconf,noacpi earlyprintk=vga')).toEqual([
      'acpi=strict: strict: this value is not modelled',
      'pci=nommconf,noacpi: nommconf: this value is not modelled',
    ]);
    expect(left('earlyprintk=ttyS0,115200,keep')).toEqual([
      'earlyprintk=ttyS0,115200,keep: ttyS0: this value is not modelled',
    ]);
  });
  test('what stands after -- is for init, what stands after the line’s room is cut', () => {
    expect(left('-- splash')).toEqual([]);
    expect(left(`${' '.repeat(2042)}aaaaabbbb`)).toEqual(['aaaaa: unknown to 4.6: passed to init']);
  });
  test('what changes nothing says why', () => {
    expect(withoutEffect('nokaslr quiet mem=1G splash')).toEqual([
      { option: 'nokaslr', why: REASONS.kaslr },
    ]);
  });
});
