/** Scenarios: a machine, its firmware and its loader, as validated data. */
import * as z from 'zod';
import { WRITE_BACK_ORDERS } from '../machine/cache/write-back-order.js';
import { CPU_MODELS } from '../machine/cpu/cpu-models.js';
import { InputError, type Place } from '../base/errors.js';
import { LIMITS, limitError, type Limit } from '../base/limits.js';
import { optional } from '../base/optional.js';
import { own, ownOf } from '../base/own.js';
import { jsonSchema } from '../base/json-schema.js';
import { keysAt } from '../base/schema-keys.js';
import { suggest } from '../base/suggest.js';
import { describeValue, expectedOf, issueOf, valueAt, type PathKey } from '../base/yaml-source.js';
import { OUTCOME_KINDS } from '../trace/trace.js';
import { stageNumber } from '../series/patches.js';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** What a size is, for errors. */
const SIZE = 'a size is a number of bytes, also in hexadecimal, or with KiB, MiB, GiB or TiB: 4GiB';

/** A size or an address in bytes: a number, in hexadecimal too, or a number with KiB, MiB, GiB or TiB. */
const size = z
  .union([
    z.int().nonnegative(),
    z.string().regex(/^(0x[0-9a-fA-F]+|\d+\s*(KiB|MiB|GiB|TiB)?)$/, SIZE),
  ])
  .transform((value) => {
    if (typeof value === 'number') return value;
    if (value.startsWith('0x')) return Number(value);
    const [, digits = '0', unit = ''] = /^(\d+)\s*(\D*)$/.exec(value) ?? [];
    return Number(digits) * (own(UNITS, unit) ?? 1);
  });

/** The arguments of `refine` for a bound. */
const atMost = ({ most, unit }: Limit): [(value: number) => boolean, { message: string }] => [
  (value) => value <= most,
  { message: `at most ${most} ${unit}` },
];

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
      'CPUID Fn8000_001F EBX[11:6], physical address bits lost; applies if SYSCFG[23] is set. At least 32 bits must remain.',
    ),
});

const device = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/)
    .max(LIMITS.text.most)
    .describe('Name in traces and in `expect`: lower-case letters, digits and dashes.'),
  dmaMask: z
    .int()
    .min(12)
    .max(64)
    .describe('Address bits of the device; its driver sets this DMA mask.'),
  bar: size
    .optional()
    .describe(
      "Physical address of the device's registers, a BAR of 4 KiB, as set by firmware; without it none are mapped.",
    ),
  iommu: z
    .boolean()
    .default(false)
    .describe('The device is behind the IOMMU, if the machine has one; at most three devices are.'),
});

/** Names of memory types as in kernel logs. */
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
const isOrdered = (range: { start: number; end: number }): boolean => range.end >= range.start;
const UNORDERED = { message: 'the range ends before it starts' };

const e820Range = z
  .strictObject({
    ...extent,
    type: z
      .enum(Object.keys(E820_TYPE_NAMES) as [keyof typeof E820_TYPE_NAMES])
      .describe('The type as kernel logs print it: e820 types 1 to 5.'),
  })
  .refine(isOrdered, UNORDERED);

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
  .refine(isOrdered, UNORDERED);

/** Whether names are sorted by code units, without duplicates. */
const sortedOnce = (names: readonly string[]): boolean =>
  names.every((name, i) => i === 0 || (names[i - 1] ?? '') < name);
const UNSORTED = { message: 'names must be sorted and unique' };

/** Sizes of the cache by name: all L3 of the processor, or that of one complex of cores. */
export const CACHE_SIZE_NAMES = ['l3', 'l3-ccx'] as const;

const machineSchema = z.strictObject({
  cpu: z
    .enum(Object.keys(CPU_MODELS) as [string, ...string[]])
    .describe('The processor model; sets the values of CPUID and the MSRs.'),
  sme: sme
    .optional()
    .describe("Overrides the processor's CPUID values for memory encryption; it must support SME."),
  ram: size
    .refine((bytes) => bytes >= 64 * 2 ** 20 && bytes % 4096 === 0, {
      message: 'at least 64 MiB, in whole pages',
    })
    .describe(
      'Bytes of RAM, at least 64 MiB, in whole pages; up to 3 GiB are below 4 GiB, the rest is above.',
    ),
  cache: z
    .strictObject({
      size: z
        .union([size.refine(...atMost(LIMITS.cacheSize)), z.enum(CACHE_SIZE_NAMES)], {
          error: `${SIZE}; or ${CACHE_SIZE_NAMES.join(' or ')}`,
        })
        .prefault(512 * 1024)
        .describe(
          "Bytes: 64 × ways × a power of two, or 0 for no cache at all. `l3`: the processor's L3, `l3-ccx`: that of one complex of cores, rounded down to such a size.",
        ),
      ways: z.int().min(1).max(64).default(8).describe('Lines in a set.'),
      writeBack: z
        .enum(WRITE_BACK_ORDERS)
        .optional()
        .describe(
          'The order in which WBINVD writes dirty lines to memory: by address and key (`ascending`, the default), plaintext lines after those of all keys (`c0-last`), or a permutation from the seed (`seeded`).',
        ),
    })
    .prefault({})
    .describe('The cache shared by all CPUs: write-back, set-associative, LRU.'),
  engine: z
    .enum(['XEX', 'XE'])
    .default('XEX')
    .describe(
      'How the memory encryption engine applies its address tweak: before and after AES (XEX) or only before (XE).',
    ),
  seed: z
    .string()
    .max(LIMITS.text.most)
    .default('sme-boot')
    .describe('Seed of all random values: keys, tweaks, and the contents of DRAM at power-on.'),
  mtrr: z
    .boolean()
    .default(true)
    .describe('Firmware has enabled the MTRRs; the default type is WB.'),
  cpus: z.int().min(1).max(8).default(1).describe('Number of CPUs, including the boot processor.'),
  vga: z.boolean().default(false).describe('A VGA adapter in text mode, its memory at 0xb8000.'),
  iommu: z.boolean().default(false).describe("An AMD IOMMU, described in the firmware's IVRS."),
  devices: z
    .array(device)
    .max(LIMITS.devices.most)
    .default([])
    .describe('Devices that do DMA, in the order of their probing.'),
});

const firmwareSchema = z.strictObject({
  type: z.enum(['bios', 'efi']).default('bios').describe('Kind of firmware.'),
  syscfgMemEncrypt: z
    .boolean()
    .default(false)
    .describe('Firmware has set SYSCFG[23], MemEncryptionModEn, on the boot processor.'),
  syscfgMemEncryptOnAps: z
    .boolean()
    .optional()
    .describe(
      'Firmware has set SYSCFG[23] on the other CPUs; by default as on the boot processor.',
    ),
  e820: z
    .array(e820Range)
    .min(2)
    .max(LIMITS.memoryRanges.most)
    .optional()
    .describe(
      'The memory map of a real machine, as printed in its log, instead of one made from machine.ram.',
    ),
  efiMemoryMap: z
    .array(efiRange)
    .min(1)
    .max(LIMITS.memoryRanges.most)
    .optional()
    .describe('The EFI memory map of a real machine, if its log has it (efi=debug).'),
  acpi: z
    .boolean()
    .optional()
    .describe('false: no ACPI tables. The kernel uses the MP table and finds no IOMMU.'),
  madt: z.boolean().optional().describe('false: ACPI without a MADT. The kernel uses one CPU.'),
  mpTable: z
    .boolean()
    .optional()
    .describe('false: no MP table in the BIOS area. EFI firmware never has one.'),
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
    .describe('Physical load address of the kernel; by default the one of its image.'),
  initrdSize: size
    .refine(...atMost(LIMITS.initrd))
    .optional()
    .describe(
      'Bytes of the initrd, at most 1 GiB: the built-in one of about 390 KiB is padded with zeros to this size.',
    ),
  initrdAt: size
    .optional()
    .describe('Physical address of the initrd; by default the highest possible one below 2 GiB.'),
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
    .describe('The option of patch 02; false: the series is compiled out.'),
  CONFIG_EFI_MIXED: z
    .boolean()
    .default(false)
    .describe('Support for 32-bit firmware: arguments and stack of its calls are mapped 1:1.'),
});

const expectSchema = z.strictObject({
  outcome: z.enum(OUTCOME_KINDS).describe('How the boot ends.'),
  garbage: z
    .array(z.string().min(1))
    .refine(sortedOnce, UNSORTED)
    .optional()
    .describe(
      'Names of the data that at least one reader does not get intact: all of them, sorted. Not compared without the key.',
    ),
});

/** The schema of a scenario file. */
export const scenarioSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/)
    .max(LIMITS.text.most)
    .describe(
      'Name in traces: lower-case letters, digits and dashes; by convention the name of the file.',
    ),
  title: z.string().min(1).max(LIMITS.text.most).describe('The machine in a line.'),
  machine: machineSchema.describe('The hardware.'),
  firmware: firmwareSchema
    .prefault({})
    .describe('The firmware: its settings, and the data that it leaves in memory.'),
  kernel: z
    .strictObject({
      size: size
        .refine((bytes) => bytes > 0 && bytes % 4096 === 0, { message: 'in whole pages' })
        .optional()
        .describe(
          'Bytes from _text to _end, in whole pages; default 16 MiB. Changes the size of .bss.',
        ),
    })
    .optional()
    .describe('The built-in kernel image; an image from a file (--kernel) has its own size.'),
  loader: loaderSchema.prefault({}).describe('The boot loader: addresses and data that it passes.'),
  guest: z.boolean().default(false).describe('Run a guest with nested paging before /init.'),
  kexec: z
    .strictObject({
      stage: stageNumber.describe('Stage of the second kernel: patches 1 to this one are applied.'),
    })
    .optional()
    .describe('After /init, load and enter a second kernel.'),
  cmdline: z
    .string()
    .nullable()
    .default('console=tty0 root=/dev/ram0')
    .describe(
      'The command line. null: the loader passes none, cmd_line_ptr is 0; an empty string is passed.',
    ),
  config: configSchema.prefault({}).describe("The kernel's configuration."),
  expect: expectSchema
    .optional()
    .describe('How the boot with the whole series ends; a run that ends differently exits 1.'),
});

export type Scenario = z.output<typeof scenarioSchema>;

/** Gives the place of a scenario's value, or of a key in it, in the file: `YamlSource.place`. */
export type PlaceOf = (path: readonly PathKey[], key?: string) => Place;

/**
 * Validates a scenario. Throws E_SCENARIO or E_UNKNOWN_KEY with the path of the first violation, and with the line and
 * column that `placeOf` gives.
 */
export function parseScenario(file: string, data: unknown, placeOf?: PlaceOf): Scenario {
  const parsed = scenarioSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = issueOf(parsed.error.issues, data);
  if (issue === undefined) throw parsed.error;
  const keys = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  if (issue.code === 'unrecognized_keys') throw unknownKey(file, keys, issue.keys, placeOf);
  const { line, column } = placeOf?.(keys) ?? {};
  const path = keys.join('.');
  const value = valueAt(data, keys);
  const expected = expectedOf(issue);
  const values = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  throw new InputError({
    code: 'E_SCENARIO',
    place: { file, ...optional({ line, column, path: path === '' ? undefined : path }) },
    ...(expected === undefined ? { reason: issue.message } : { expected }),
    found: foundText(value),
    ...(typeof value === 'string' && suggest(value, values)),
  });
}

/** The E_UNKNOWN_KEY error for keys that the mapping at `path` cannot have. */
function unknownKey(
  file: string,
  path: readonly PathKey[],
  [key = '', ...others]: readonly string[],
  placeOf?: PlaceOf,
): InputError {
  const { line, column } = placeOf?.(path, key) ?? {};
  const known = keysAt(scenarioSchema, path);
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return new InputError({
    code: 'E_UNKNOWN_KEY',
    place: { file, ...optional({ line, column, path: [...path, key].join('.') }) },
    reason: `unknown key ${JSON.stringify(key)}${more}`,
    expected: known.join(', '),
    ...suggest(key, known),
  });
}

/** A value in a few words: a scalar as JSON, a list or mapping of more than a line by its kind. */
function foundText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return describeValue(value);
  const kind = Array.isArray(value) ? 'list' : 'mapping';
  const size = Object.keys(value).length;
  return size === 0 ? describeValue(value) : `a ${kind} of ${size}`;
}

/**
 * Sets one value of a scenario's data by its path (`machine.ram=4GiB`); the value is parsed as JSON if it is JSON.
 * Throws E_SET.
 */
export function setPath(data: unknown, assignment: string): unknown {
  const at = assignment.indexOf('=');
  if (at <= 0) {
    throw new InputError({
      code: 'E_SET',
      reason: 'a setting has the form path=value',
      expected: 'for example machine.ram=4GiB',
      found: assignment,
    });
  }
  const keys = assignment.slice(0, at).split('.', LIMITS.settingParts.most + 1);
  if (keys.length > LIMITS.settingParts.most) throw limitError(LIMITS.settingParts, 'more', {});
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
  return { ...base, [key]: setKeys(ownOf(base, key), rest, value) };
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
