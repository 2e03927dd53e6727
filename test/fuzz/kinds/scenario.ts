/** Scenarios: parsed, and booted. */
import fc from 'fast-check';
import { decodeUtf8 } from '../../../src/base/utf8.js';
import { buildBuiltInImage } from '../../../src/firmware/image/built-in.js';
import { parseScenarioText } from '../../../src/lib/scenario.js';
import { BASE_VARIABLES } from '../../../src/linux/index.js';
import { CPU_MODELS } from '../../../src/machine/cpu/cpu-models.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { Boot } from '../../../src/sequencer/boot.js';
import { link } from '../../../src/series/link.js';
import { OUTCOME_KINDS } from '../../../src/trace/trace.js';
import { documents, type Setting } from '../data.js';
import { verify, verifySame, type Kind } from '../kind.js';
import { documentsIn } from '../samples.js';
import { sha256 } from '../../sha256.js';

const FILE = 'scenario.yaml';
const MIB = 2 ** 20;

const size = fc.constantFrom<unknown>(
  0,
  0x1000,
  0x9_0000,
  MIB,
  '16MiB',
  '64MiB',
  '256 MiB',
  '1GiB',
  '3GiB',
  '4GiB',
  '0x1000000',
  '1TiB',
);
const address = fc.constantFrom<unknown>(
  0,
  0x400,
  0x7000,
  0x9_0000,
  0x9_9000,
  0x10_0000,
  0x100_0000,
  0x300_0000,
  0x7000_0000,
  2 ** 32,
  '0x40000000',
);
const COMMAND_LINES = [
  '',
  'mem_encrypt=on',
  'mem_encrypt=off',
  'mem=512M',
  'mem_encrypt=on mem=64M',
  'memmap=64K$0x7000000',
  'iommu=off',
  'amd_iommu=off',
  'nosmp',
  'maxcpus=1',
  'efi=debug',
  'efi=old_map',
  'noefi',
  'nopat',
  'swiotlb=65536',
  'swiotlb=force',
  'init=/bin/sh',
  'rdinit=/x',
  'console=ttyS0 quiet',
  'crashkernel=64M',
  '"a b"=c',
  '-- x',
  '=',
  '==',
  'vga=0x317',
  'noinitrd',
  'disable_mtrr_cleanup',
  'nokaslr',
  'acpi=off',
  'memblock=debug',
  'x'.repeat(4090),
  'pci=noacpi',
  'iommu=pt',
  'iommu=soft',
  'nx=off',
  'noapic',
  'nolapic',
  'mem=1',
  'mem=0',
  'memmap=exactmap',
];
const flag = fc.boolean();
const set = <T>(path: string, values: fc.Arbitrary<T>): fc.Arbitrary<Setting> =>
  values.map((value) => [path, value] as const);

const e820 = fc
  .array(
    fc.tuple(
      fc.nat(40),
      fc.nat(8),
      fc.constantFrom('usable', 'usable', 'reserved', 'ACPI data', 'ACPI NVS'),
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((list) => {
    let at = MIB;
    const ranges: unknown[] = [{ start: 0, end: 0x9_fbff, type: 'usable' }];
    for (const [gap, pages, type] of list) {
      const start = at + gap * 0x10_0000;
      const end = start + (pages + 1) * 0x400_0000 - 1;
      ranges.push({ start, end, type });
      at = end + 1;
    }
    return ranges;
  });

/** Values that a scenario may have, by their path. */
const settings: fc.Arbitrary<Setting> = fc.oneof(
  set('machine.cpu', fc.constantFrom(...Object.keys(CPU_MODELS))),
  set(
    'machine.ram',
    fc.constantFrom('64MiB', '128MiB', '256MiB', '512MiB', '1GiB', '2GiB', '4GiB', '8GiB'),
  ),
  set('machine.cache.size', fc.constantFrom<unknown>(0, 4096, '64KiB', '512KiB', 12288, '1MiB')),
  set('machine.cache.ways', fc.constantFrom(1, 2, 3, 8, 16)),
  set('machine.engine', fc.constantFrom('XE', 'XEX')),
  set('machine.seed', fc.constantFrom('a', 'b', '')),
  set('machine.mtrr', flag),
  set('machine.cpus', fc.integer({ min: 1, max: 8 })),
  set('machine.vga', flag),
  set('machine.iommu', flag),
  set(
    'machine.sme',
    fc.constantFrom(
      { cBit: 47, reduction: 5 },
      { cBit: 51, reduction: 0 },
      { cBit: 40, reduction: 1 },
    ),
  ),
  set(
    'machine.devices',
    fc.constantFrom<unknown>(
      [],
      [{ name: 'nic', dmaMask: 64 }],
      [
        { name: 'old', dmaMask: 24 },
        { name: 'gpu', dmaMask: 40, iommu: true },
      ],
    ),
  ),
  set('firmware.type', fc.constantFrom('bios', 'efi')),
  set('firmware.syscfgMemEncrypt', flag),
  set('firmware.syscfgMemEncryptOnAps', flag),
  set('firmware.e820', e820),
  set('firmware.acpi', flag),
  set('firmware.madt', flag),
  set('firmware.mpTable', flag),
  set('firmware.ebdaSegment', fc.constantFrom(0, 0x40, 0x9000, 0x9fc0, 0xa000, 0xffff)),
  set('firmware.lowmemKilobytes', fc.constantFrom(0, 64, 512, 639, 640)),
  set('kernel.size', fc.constantFrom<unknown>('16MiB', '32MiB', '17MiB', 4096)),
  set(
    'loader.kernelAt',
    fc.constantFrom<unknown>(0x100_0000, 0x200_0000, 0x120_0000, '16MiB', '64MiB'),
  ),
  set('loader.initrdSize', fc.constantFrom<unknown>(0, '1MiB', '4MiB', 400_001)),
  set('loader.initrdAt', address),
  set('loader.cmdlineAt', address),
  set('loader.zeroPageAt', address),
  set('loader.deviceTree', flag),
  set('guest', flag),
  set('kexec.stage', fc.nat(18)),
  set('cmdline', fc.constantFrom<unknown>(null, ...COMMAND_LINES)),
  set('config.CONFIG_AMD_MEM_ENCRYPT', flag),
  set('config.CONFIG_EFI_MIXED', flag),
);
/** The same with sizes anywhere: mostly refused. */
const anySize = fc.oneof(
  { weight: 9, arbitrary: settings },
  { weight: 1, arbitrary: set('machine.ram', size) },
);

const bases = documentsIn('scenarios');

export const scenario: Kind = {
  name: 'scenario',
  what: 'scenarios, parsed',
  ext: 'yaml',
  inputs: 10_000,
  share: 2,
  arbitrary: documents(bases, { settings: anySize, changed: 3, mutated: 4 }),
  read(bytes) {
    const { scenario: read } = parseScenarioText(FILE, decodeUtf8(FILE, bytes));
    const again = parseScenarioText(FILE, JSON.stringify(read));
    verifySame(again.scenario, read, 'printed and parsed again');
    return true;
  },
};

const OUTCOMES: ReadonlySet<string> = new Set(OUTCOME_KINDS);

let image: ReturnType<typeof buildBuiltInImage> | undefined;

export const booted: Kind = {
  name: 'booted',
  what: 'scenarios, booted to their end',
  ext: 'yaml',
  inputs: 200,
  share: 0,
  arbitrary: documents(
    bases.filter((base) => !/TiB|kexec/.test(JSON.stringify(base))),
    { settings, changed: 1, mutated: 1 },
  ),
  read(bytes) {
    const { scenario: read, digest } = parseScenarioText(FILE, decodeUtf8(FILE, bytes));
    image ??= buildBuiltInImage(link([]).baseFunctions, BASE_VARIABLES, sha256);
    const boot = new Boot({
      scenario: read,
      scenarioDigest: digest,
      stage: 18,
      activate: false,
      image,
      cipher: nodeCipher,
      digest: sha256,
    });
    const { outcome } = boot.run();
    verify(OUTCOMES.has(outcome.kind), `the outcome ${outcome.kind}`);
    return true;
  },
};
