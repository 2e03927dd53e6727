import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseDmesg, type DmesgFacts } from '../../src/sequencer/dmesg.js';
import { draftScenario } from '../../src/sequencer/from-dmesg.js';
import { parseScenario } from '../../src/sequencer/scenario.js';
import { boot } from '../helpers.js';

const draft = (facts: DmesgFacts, asLogged = false) =>
  draftScenario(facts, { name: 'subject', asLogged });
const facts = (name: string): DmesgFacts =>
  parseDmesg(readFileSync(`test/fixtures/dmesg/${name}.txt`, 'utf8'));

describe.each(['gigabyte-a320m', 'dell-r6515', 'ovmf-guest'])('the log of %s', (name) => {
  test.each([9, 18])('gives a scenario that reaches /init at stage %i', (stage) => {
    const { data } = draft(facts(name));
    const trace = boot({ scenario: parseScenario(name, data), stage }).run();
    expect(trace.outcome).toMatchObject({ kind: 'booted' });
  });
});

describe('a scenario from a log', () => {
  test('asks for encryption, unless it shall be as logged or the log said something of it', () => {
    const line = (commandLine: string, asLogged = false) =>
      draft({ ...facts('gigabyte-a320m'), commandLine }, asLogged).data.cmdline;
    expect(line('ro')).toBe('ro mem_encrypt=on');
    expect(line('ro', true)).toBe('ro');
    expect(line('ro mem_encrypt=off quiet')).toBe('ro mem_encrypt=off quiet');
  });

  test('leaves out early consoles that the machine does not have, and says so', () => {
    const commandLine = 'ro earlyprintk=ttyS1,115200 earlyprintk=vga,keep mem_encrypt=on';
    const { data, remarks } = draft({ ...facts('gigabyte-a320m'), commandLine });
    expect(data.cmdline).toBe('ro earlyprintk=vga,keep mem_encrypt=on');
    expect(remarks.join('\n')).toMatch(/earlyprintk=ttyS1,115200 is left out/);
  });

  test('tells each default that it takes', () => {
    const { remarks } = draft({ efi: false, efiMemoryMap: [], e820: facts('ovmf-guest').e820 });
    expect(remarks.join('\n')).toMatch(/machine\.cpus: not in the log; 1/);
    expect(remarks.join('\n')).toMatch(/machine\.cpu: the log does not say which; zen-1/);
    expect(remarks.join('\n')).toMatch(/cmdline: not in the log/);
  });

  test.each([
    ['AMD Ryzen 5 3400G', 0x17, 0x18, 'zen-1'],
    ['AMD EPYC 7742', 0x17, 0x31, 'zen-2'],
    ['AMD EPYC 7763', 0x19, 0x01, 'zen-3'],
    ['AMD EPYC 9654', 0x19, 0x11, 'epyc-9654'],
    ['Intel(R) Xeon(R) CPU', 0x6, 0x4f, 'intel-broadwell'],
    ['AMD Athlon', 0xf, 0x2, 'zen-1'],
  ])('takes for %s the processor that is nearest', (name, family, model, cpu) => {
    const { data } = draft({ ...facts('gigabyte-a320m'), cpu: { name, family, model } });
    expect(data.machine).toMatchObject({ cpu });
  });

  test('puts the kernel where EFI loader data says that it was, else at 16 MiB or the next place', () => {
    expect(draft(facts('ovmf-guest')).data.loader).toMatchObject({ kernelAt: 0x200_0000 });
    expect(draft(facts('gigabyte-a320m')).data.loader).toEqual({ kernelAt: 0x100_0000 });
    expect(draft(facts('dell-r6515')).data.loader).toMatchObject({ initrdAt: 0xc28_4000 });
  });

  test('is refused where the log has no memory map, or no room for a kernel', () => {
    expect(() => draft(parseDmesg('nothing'))).toThrow(/E_DMESG/);
    const e820 = [
      { start: 0, end: 0x9_ffff, type: 'usable' as const },
      { start: 0x10_0000, end: 0x1ff_ffff, type: 'usable' as const },
    ];
    expect(() => draft({ efi: false, efiMemoryMap: [], e820 })).toThrow(/room for a kernel/);
  });
});
