/** Kernel logs, and the scenarios made from them. */
import fc from 'fast-check';
import { stringify } from 'yaml';
import { readYaml } from '../../../src/base/yaml-source.js';
import { InputError } from '../../../src/base/errors.js';
import { parseDmesg } from '../../../src/scenario/dmesg.js';
import { draftScenario } from '../../../src/scenario/from-dmesg.js';
import { decodeLog } from '../../../src/scenario/log-text.js';
import { parseScenario } from '../../../src/scenario/scenario.js';
import { verifySame, type Kind } from '../kind.js';
import { sampleText, samplesIn } from '../samples.js';
import { mutatedText } from '../text.js';

const FILE = 'boot.log';
const MOST = 6000;

const hex = (value: number): string => value.toString(16).padStart(16, '0');

/** Logs of small machines: a version, a command line, a map in one of its forms, a processor, devices. */
const logs = fc
  .record({
    stamp: fc.constantFrom(
      '[    0.000000] ',
      '',
      '<6>[    0.000000] ',
      'Jan  1 00:00:00 host kernel: ',
      '> ',
    ),
    form: fc.nat(2),
    ranges: fc.array(
      fc.tuple(
        fc.nat(4),
        fc.integer({ min: 1, max: 64 }),
        fc.constantFrom(
          'usable',
          'usable',
          'reserved',
          'ACPI data',
          'ACPI NVS',
          'unusable',
          'type 20',
        ),
      ),
      { minLength: 1, maxLength: 8 },
    ),
    cpu: fc.constantFrom(
      'smpboot: CPU0: AMD EPYC 7551 32-Core Processor (family: 0x17, model: 0x1, stepping: 0x2)',
      'smpboot: CPU0: Intel(R) Core(TM) i7 (family: 0x6, model: 0x3c, stepping: 0x3)',
      'CPU0: AMD Phenom(tm) II X6 (fam: 10, model: 0a, stepping: 00)',
      'nothing',
    ),
    more: fc.array(
      fc.constantFrom(
        'Command line: BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet mem_encrypt=off',
        'Kernel command line: root=/dev/sda1',
        'smpboot: Allowing 64 CPUs, 32 hotplug CPUs',
        'DMI: Vendor Board/\u001b[2JBoard, BIOS 1.0 01/01/2016',
        'AMD-Vi: Found IOMMU at 0000:00:00.2 cap 0x40',
        'efi: EFI v2.60 by American Megatrends',
        'efi: mem00: [Conventional Memory|   |  |  |  |  |   |WB|WT|WC|UC] range=[0x0000000000000000-0x000000000009ffff] (0MB)',
        'RAMDISK: [mem 0x35c2f000-0x36e1bfff]',
        'Linux version 4.6.5 (x@y) #1 SMP',
        'e1000e 0000:00:19.0: setting 64-bit DMA mask',
        'Console: colour VGA+ 80x25',
      ),
      { maxLength: 6 },
    ),
  })
  .map(({ stamp, form, ranges, cpu, more }) => {
    let at = 0x10_0000;
    const map = [{ start: 0, end: 0x9_fbff, type: 'usable' }];
    for (const [gap, length, type] of ranges) {
      const start = at + gap * 0x1_0000;
      at = start + length * 0x400_0000;
      map.push({ start, end: at - 1, type });
    }
    const lines = [
      'Linux version 4.6.0 (build@host) (gcc) #1 SMP',
      ...map.map(({ start, end, type }) =>
        form === 0
          ? `e820: BIOS-e820: [mem 0x${hex(start)}-0x${hex(end)}] ${type}`
          : form === 1
            ? `BIOS-e820: [mem 0x${hex(start)}-0x${hex(end)}] ${type}`
            : ` BIOS-e820: ${hex(start)} - ${hex(end + 1)} (${type})`,
      ),
      cpu,
      ...more,
    ];
    return lines.map((line) => `${stamp}${line}\n`).join('');
  });

const recorded = samplesIn('test/fixtures/dmesg', '.txt')
  .map(sampleText)
  .map((text) => text.slice(0, MOST));

export const dmesg: Kind = {
  name: 'dmesg',
  what: 'kernel logs, made into scenarios',
  ext: 'log',
  inputs: 2000,
  share: 1,
  arbitrary: mutatedText(
    fc.oneof(
      { weight: 6, arbitrary: logs },
      { weight: 1, arbitrary: fc.constantFrom(...recorded) },
    ),
    { mutated: 7 },
  ),
  read(bytes) {
    try {
      const { text, undone } = decodeLog(bytes);
      const facts = parseDmesg(text);
      const draft = draftScenario(
        { ...facts, undone: [...undone, ...(facts.undone ?? [])] },
        { name: 'mine', asLogged: false },
      );
      const scenario = parseScenario(FILE, draft.data);
      const printed = stringify(draft.data, { lineWidth: 0 });
      verifySame(
        parseScenario(FILE, readYaml(FILE, printed).value),
        scenario,
        'printed and parsed again',
      );
    } catch (error) {
      // As the command does: the log's name is the place of a fact that has no line.
      throw error instanceof InputError ? error.within({ file: FILE }) : error;
    }
    return true;
  },
};
