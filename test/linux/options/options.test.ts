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

/** Modelled options without a registered parser: the kernel searches the command line for them. */
const SEARCHED_FOR = ['crashkernel=', 'dis_ucode_ldr'];

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

  test('marks as modelled exactly the options that have a parser', () => {
    const modelled = OPTIONS.filter(([, , , mark]) => mark === 'modelled').map(([name]) => name);
    const parsed = [...new Set(SETUP_PARAMS.map(({ str }) => str)), ...SEARCHED_FOR];
    expect(modelled.sort()).toEqual(parsed.sort());
  });

  test('has the kind of each parser in its row: early or setup', () => {
    for (const { str, early } of SETUP_PARAMS) {
      const row = OPTIONS.find(([name]) => name === str);
      expect([str, row?.[1]]).toEqual([str, early ? 'early' : 'setup']);
    }
  });

  test('has a kind in each row; only __setup(), a search and the loader have names with "="', () => {
    const kinds = ['early', 'setup', 'core', 'module', 'find', 'loader'];
    for (const [name, kind] of OPTIONS) {
      expect([name, kinds.includes(kind)]).toEqual([name, true]);
      if (name.endsWith('='))
        expect([name, kind]).toEqual([name, expect.stringMatching(/^(?:setup|find|loader)$/)]);
    }
  });

  test('has a reason text for each mark without effect, and uses each reason', () => {
    const marks = new Set(OPTIONS.map(([, , , mark]) => mark));
    for (const reason of Object.keys(REASONS)) expect([...marks]).toContain(reason);
    for (const mark of marks) {
      const known = mark === 'modelled' || mark === 'named' || (reasonOf(mark) ?? '') !== '';
      expect([mark, known]).toEqual([mark, true]);
    }
  });

  test('names a kernel source file in each row', () => {
    for (const [name, , file] of OPTIONS)
      expect([name, file]).toEqual([name, expect.stringMatching(/^[\w./-]+\.(c|h|txt)$/)]);
  });
});

describe('rowsOf()', () => {
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
  ])('for %s=%s gives the rows %j', (param, val, expected) => {
    expect(names(param, val)).toEqual(expected);
  });
});

describe('options without a model or without an effect', () => {
  const listed = (line: string): string[] =>
    notModelledOf(line, ['mem_encrypt']).map(({ option, why }) => `${option}: ${why}`);

  test('notModelledOf() omits options that are modelled, have no effect or are handled elsewhere', () => {
    expect(
      listed('mem=2G iommu=pt nokaslr ro root=/dev/ram0 mem_encrypt=on BOOT_IMAGE=/x'),
    ).toEqual([]);
  });
  test('notModelledOf() lists options of 4.6 with their file, unknown words and module parameters', () => {
    expect(listed('quiet splash nvme.x=1 a-b="c d" quiet')).toEqual([
      'quiet: an option of 4.6, init/main.c',
      'splash: unknown to 4.6: passed to init',
      'nvme.x=1: a module parameter, which 4.6 leaves to the program that loads the module',
      'a-b="c d": unknown to 4.6: passed to init',
    ]);
  });
  test('notModelledOf() lists mem_encrypt if no patch handles it', () => {
    expect(notModelledOf('mem_encrypt=on', [])).toHaveLength(1);
  });
  test('notModelledOf() lists the values of modelled options that are not modelled', () => {
    expect(listed('acpi=strict acpi=off pci=noacpi pci=nommconf,noacpi earlyprintk=vga')).toEqual([
      'acpi=strict: strict: this value is not modelled',
      'pci=nommconf,noacpi: nommconf: this value is not modelled',
    ]);
    expect(listed('earlyprintk=ttyS0,115200,keep')).toEqual([
      'earlyprintk=ttyS0,115200,keep: ttyS0: this value is not modelled',
    ]);
  });
  test('notModelledOf() ignores words after -- and after COMMAND_LINE_SIZE', () => {
    expect(listed('-- splash')).toEqual([]);
    expect(listed(`${' '.repeat(2042)}aaaaabbbb`)).toEqual([
      'aaaaa: unknown to 4.6: passed to init',
    ]);
  });
  test('withoutEffect() gives the reason', () => {
    expect(withoutEffect('nokaslr quiet mem=1G splash')).toEqual([
      { option: 'nokaslr', why: REASONS.kaslr },
    ]);
  });
});
