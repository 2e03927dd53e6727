/** Scenarios: a machine to boot and how it is set up, as validated data. */
import * as z from 'zod';
import { CPU_MODELS } from '../machine/cpu/cpu-models.js';
import { InputError } from '../base/errors.js';
import { jsonSchema } from '../base/json-schema.js';
import { OUTCOME_KINDS } from '../trace/trace.js';
import { stageNumber } from '../series/patches.js';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A size or an address in bytes: a number, in hexadecimal too, or a number with KiB, MiB, GiB or TiB. */
const size = z
  .union([z.int().nonnegative(), z.string().regex(/^(0x[0-9a-fA-F]+|\d+\s*(KiB|MiB|GiB|TiB)?)$/)])
  .transform((value) => {
    if (typeof value === 'number') return value;
    if (value.startsWith('0x')) return Number(value);
    const [, digits = '0', unit = ''] = /^(\d+)\s*(\D*)$/.exec(value) ?? [];
    return Number(digits) * (UNITS[unit] ?? 1);
  });

const sme = z.strictObject({
  cBit: z
    .int()
    .min(12)
    .max(51)
    .describe('CPUID Fn8000_001F EBX[5:0], the bit number of the C-bit: 47 or 51 on real parts.'),
  reduction: z
    .int()
    .min(0)
    .max(20)
    .describe(
      'CPUID Fn8000_001F EBX[11:6], physical address bits lost; it counts where SYSCFG[23] is set. At least 32 bits must be left.',
    ),
});

const device = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/)
    .describe('Its name in traces and in `expect`: lower-case letters, digits and dashes.'),
  dmaMask: z
    .int()
    .min(12)
    .max(64)
    .describe('Bits of an address that the device can send; its driver asks for such a DMA mask.'),
  bar: size
    .optional()
    .describe(
      "Physical address of the device's registers, a BAR of 4 KiB, where firmware has put them; without it none are mapped.",
    ),
  iommu: z
    .boolean()
    .default(false)
    .describe('The device is behind the IOMMU, if the machine has one; at most three are.'),
});

/** Names of memory types as kernel logs have them. */
export const E820_TYPE_NAMES = {
  usable: 1,
  reserved: 2,
  'ACPI data': 3,
  'ACPI NVS': 4,
  unusable: 5,
} as const;

/** A range of physical memory, first and last byte. */
const extent = {
  start: size.describe('Physical address of the first byte.'),
  end: size.describe('Physical address of the last byte, as kernel logs print it.'),
};
const forwards = (range: { start: number; end: number }): boolean => range.end >= range.start;
const BACKWARDS = { message: 'the range ends before it starts' };

const e820Range = z
  .strictObject({
    ...extent,
    type: z
      .enum(Object.keys(E820_TYPE_NAMES) as [keyof typeof E820_TYPE_NAMES])
      .describe('The type as kernel logs print it: e820 types 1 to 5.'),
  })
  .refine(forwards, BACKWARDS);

const efiRange = z
  .strictObject({
    ...extent,
    type: z
      .int()
      .min(0)
      .max(13)
      .describe('EFI_MEMORY_TYPE by number: 7 is EfiConventionalMemory (UEFI 7.2).'),
    runtime: z
      .boolean()
      .default(false)
      .describe('EFI_MEMORY_RUNTIME is set: the kernel maps the range for runtime services.'),
  })
  .refine(forwards, BACKWARDS);

/** Each once, in the order of their code units. */
const sortedOnce = (names: readonly string[]): boolean =>
  names.every((name, i) => i === 0 || (names[i - 1] ?? '') < name);
const UNSORTED = { message: 'names are sorted, and each is there once' };

const machineSchema = z.strictObject({
  cpu: z
    .enum(Object.keys(CPU_MODELS) as [string, ...string[]])
    .describe('The processor, which decides what CPUID and the MSRs say.'),
  sme: sme
    .optional()
    .describe('Changes what the processor says about memory encryption; it must have some.'),
  ram: size
    .refine((bytes) => bytes >= 64 * 2 ** 20 && bytes % 4096 === 0, {
      message: 'at least 64 MiB, in whole pages',
    })
    .describe(
      'Bytes of RAM, at least 64 MiB, in whole pages; 3 GiB of it are below 4 GiB and the rest is above.',
    ),
  cache: z
    .strictObject({
      size: size
        .prefault(512 * 1024)
        .describe('Bytes: 64 × ways × a power of two, or 0 for no cache at all.'),
      ways: z.int().min(1).max(64).default(8).describe('Lines in a set.'),
    })
    .prefault({})
    .describe('The cache that all CPUs share: write-back, set-associative, LRU.'),
  engine: z
    .enum(['XEX', 'XE'])
    .default('XEX')
    .describe(
      'How the memory engine applies its address tweak: before and after AES (XEX) or before it alone (XE).',
    ),
  seed: z
    .string()
    .default('sme-boot')
    .describe('All that is random comes from it: keys, tweaks, and what DRAM holds at power-on.'),
  mtrr: z
    .boolean()
    .default(true)
    .describe('Firmware has enabled the MTRRs; the default type is WB.'),
  cpus: z.int().min(1).max(8).default(1).describe('CPUs, the boot processor among them.'),
  vga: z.boolean().default(false).describe('A VGA adapter in text mode, its memory at 0xb8000.'),
  iommu: z.boolean().default(false).describe("An AMD IOMMU, which the firmware's IVRS describes."),
  devices: z
    .array(device)
    .default([])
    .describe('Devices that do DMA, in the order in which their drivers probe them.'),
});

const firmwareSchema = z.strictObject({
  type: z.enum(['bios', 'efi']).default('bios').describe('What firmware leaves in memory.'),
  syscfgMemEncrypt: z
    .boolean()
    .default(false)
    .describe('Firmware has set SYSCFG[23], MemEncryptionModEn, on the boot processor.'),
  syscfgMemEncryptOnAps: z
    .boolean()
    .optional()
    .describe('Firmware has set it on the other CPUs; by default as on the boot processor.'),
  e820: z
    .array(e820Range)
    .min(2)
    .optional()
    .describe(
      'The memory map of a real machine, as its log prints it, instead of one that follows from machine.ram.',
    ),
  efiMemoryMap: z
    .array(efiRange)
    .min(1)
    .optional()
    .describe('The EFI memory map of a real machine, where its log has it (efi=debug).'),
  acpi: z
    .boolean()
    .optional()
    .describe('false: no ACPI tables. The kernel goes by the MP table, and knows of no IOMMU.'),
  madt: z
    .boolean()
    .optional()
    .describe('false: ACPI without a MADT. The kernel takes it for a machine with one CPU.'),
  mpTable: z
    .boolean()
    .optional()
    .describe('false: no MP table in the BIOS area. EFI firmware has none in any case.'),
  ebdaSegment: z
    .int()
    .min(0)
    .max(0xffff)
    .default(0x9fc0)
    .describe('The segment of the EBDA, the word at 0x40e of the BIOS data area.'),
  lowmemKilobytes: z
    .int()
    .min(0)
    .max(640)
    .default(639)
    .describe('KiB of low memory, the word at 0x413 of the BIOS data area.'),
});

const loaderSchema = z.strictObject({
  kernelAt: size
    .optional()
    .describe('Physical load address of the kernel; by default where its image asks to be.'),
  initrdSize: size
    .refine((bytes) => bytes <= 2 ** 30, { message: 'at most 1 GiB' })
    .optional()
    .describe(
      'Bytes of the RAM disk, at most 1 GiB: the built-in one of about 390 KiB is filled up with zeros to as many.',
    ),
  initrdAt: size
    .optional()
    .describe(
      'Physical address of the RAM disk; by default as high below 2 GiB as memory and firmware leave room.',
    ),
  cmdlineAt: size.optional().describe('Physical address of the command line; 0x99000 by default.'),
  zeroPageAt: size
    .optional()
    .describe(
      'Physical address of the zero page (struct boot_params), 4096 bytes: RSI at entry; 0x90000 by default.',
    ),
  deviceTree: z
    .boolean()
    .default(false)
    .describe('The loader passes a flattened device tree in the setup_data chain.'),
});

const configSchema = z.strictObject({
  CONFIG_AMD_MEM_ENCRYPT: z
    .boolean()
    .default(true)
    .describe('The option of patch 02; without it the series is compiled out.'),
  CONFIG_EFI_MIXED: z
    .boolean()
    .default(false)
    .describe('32-bit firmware can be called: its arguments and stack are mapped 1:1.'),
});

const expectSchema = z.strictObject({
  outcome: z.enum(OUTCOME_KINDS).describe('How the boot ends.'),
  garbage: z
    .array(z.string().min(1))
    .refine(sortedOnce, UNSORTED)
    .optional()
    .describe(
      'Names of the consumed things that some reader does not get intact: exactly these, sorted. Without the key none are compared.',
    ),
});

/** What a scenario file may say. */
export const scenarioSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/)
    .describe(
      'Its name in traces: lower-case letters, digits and dashes; by custom that of the file.',
    ),
  title: z.string().min(1).describe('What machine it is, in a line.'),
  machine: machineSchema.describe('The hardware.'),
  firmware: firmwareSchema
    .prefault({})
    .describe('What firmware did, and left in memory, before the loader ran.'),
  kernel: z
    .strictObject({
      size: size
        .refine((bytes) => bytes > 0 && bytes % 4096 === 0, { message: 'in whole pages' })
        .optional()
        .describe(
          'Bytes from _text to _end, in whole pages: 16 MiB, unless .bss is to be larger or smaller.',
        ),
    })
    .optional()
    .describe('The built-in kernel image; an image from a file (--kernel) has a size of its own.'),
  loader: loaderSchema.prefault({}).describe('What the boot loader put where.'),
  guest: z.boolean().default(false).describe('A guest with nested paging is run before /init.'),
  kexec: z
    .strictObject({
      stage: stageNumber.describe('Patches 1 to this one are applied to it.'),
    })
    .optional()
    .describe('After /init another kernel is loaded and entered.'),
  cmdline: z
    .string()
    .nullable()
    .default('console=tty0 root=/dev/ram0')
    .describe(
      'The command line. null: the loader passes none, cmd_line_ptr is 0. An empty one is a command line too.',
    ),
  config: configSchema.prefault({}).describe("The kernel's configuration."),
  expect: expectSchema
    .optional()
    .describe('How the boot with the whole series ends; a run that ends otherwise exits 1.'),
});

export type Scenario = z.output<typeof scenarioSchema>;

/** Validates a scenario. Throws E_SCENARIO with the path of the first thing that is wrong. */
export function parseScenario(file: string, data: unknown): Scenario {
  const parsed = scenarioSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.map(String).join('.') ?? '';
  throw new InputError({
    code: issue?.code === 'unrecognized_keys' ? 'E_UNKNOWN_KEY' : 'E_SCENARIO',
    place: { file, ...(path === '' ? {} : { path }) },
    reason: issue?.message ?? 'not a scenario',
    ...(issue === undefined || path === '' ? {} : { found: foundAt(data, issue.path) }),
  });
}

const FOUND_MAX = 60;

/** What stands at a path of some data, as JSON, cut where it is long. */
function foundAt(data: unknown, path: readonly PropertyKey[]): string {
  const value = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    data,
  );
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > FOUND_MAX ? `${text.slice(0, FOUND_MAX)}…` : text;
}

/** Sets one value of a scenario's data by its path (`machine.ram=4GiB`); the value is read as JSON where it is JSON. */
export function setPath(data: unknown, assignment: string): unknown {
  const at = assignment.indexOf('=');
  if (at <= 0) {
    throw new InputError({
      code: 'E_SET',
      reason: 'a setting is path=value',
      expected: 'for example machine.ram=4GiB',
      found: assignment,
    });
  }
  const keys = assignment.slice(0, at).split('.');
  const text = assignment.slice(at + 1);
  return setKeys(data, keys, valueOf(text));
}

function valueOf(text: string): unknown {
  if (/^0x[0-9a-fA-F]+$/.test(text)) return Number(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function setKeys(data: unknown, keys: readonly string[], value: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const base = typeof data === 'object' && data !== null ? data : {};
  const inner: unknown = Object.hasOwn(base, key) ? Reflect.get(base, key) : undefined;
  return { ...base, [key]: setKeys(inner, rest, value) };
}

/** The JSON Schema of a scenario file. */
export function scenarioJsonSchema(): Record<string, unknown> {
  const names = {
    name: 'scenario',
    title: 'sme-boot scenario',
    description: 'A machine to boot, its firmware and its loader (docs/scenarios.md).',
  };
  return jsonSchema(names, scenarioSchema);
}
