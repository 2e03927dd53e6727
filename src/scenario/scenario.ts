/** Scenarios: a machine to boot and how it is set up, as validated data. */
import * as z from 'zod';
import { CPU_MODELS } from '../machine/cpu/cpu-models.js';
import { InputError } from '../base/errors.js';
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
      'EBX[11:6], physical address bits lost; it counts where SYSCFG[23] is set. At least 32 bits must be left.',
    ),
});

const device = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
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
  /** Behind the IOMMU, if the machine has one. */
  iommu: z.boolean().default(false),
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
const extent = { start: size, end: size };
const forwards = (range: { start: number; end: number }): boolean => range.end >= range.start;
const BACKWARDS = { message: 'the range ends before it starts' };

const e820Range = z
  .strictObject({
    ...extent,
    type: z.enum(Object.keys(E820_TYPE_NAMES) as [keyof typeof E820_TYPE_NAMES]),
  })
  .refine(forwards, BACKWARDS);

const efiRange = z
  .strictObject({
    ...extent,
    /** EFI_MEMORY_TYPE's number. */
    type: z.int().min(0).max(13),
    /** EFI_MEMORY_RUNTIME. */
    runtime: z.boolean().default(false),
  })
  .refine(forwards, BACKWARDS);

/** Each once, in the order of their code units. */
const sortedOnce = (names: readonly string[]): boolean =>
  names.every((name, i) => i === 0 || (names[i - 1] ?? '') < name);
const UNSORTED = { message: 'names are sorted, and each is there once' };

/** What a scenario file may say. */
export const scenarioSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  title: z.string().min(1),
  machine: z.strictObject({
    /** A processor by name. */
    cpu: z.enum(Object.keys(CPU_MODELS) as [string, ...string[]]),
    /** Overrides of what the processor says about memory encryption. */
    sme: sme.optional(),
    ram: size.refine((bytes) => bytes >= 64 * 2 ** 20 && bytes % 4096 === 0, {
      message: 'at least 64 MiB, in whole pages',
    }),
    cache: z
      .strictObject({
        size: size.prefault(512 * 1024),
        ways: z.int().min(1).max(64).default(8),
      })
      .prefault({}),
    engine: z.enum(['XEX', 'XE']).default('XEX'),
    /** Everything random comes from here. */
    seed: z.string().default('sme-boot'),
    mtrr: z.boolean().default(true),
    cpus: z.int().min(1).max(8).default(1),
    /** A VGA adapter in text mode at 0xb8000. */
    vga: z.boolean().default(false),
    /** An AMD IOMMU, described by the firmware's IVRS. */
    iommu: z.boolean().default(false),
    /** Devices that do DMA, in the order in which their drivers probe them. */
    devices: z.array(device).default([]),
  }),
  firmware: z
    .strictObject({
      type: z.enum(['bios', 'efi']).default('bios'),
      /** Whether the firmware has set SYSCFG[23] on the boot processor. */
      syscfgMemEncrypt: z.boolean().default(false),
      /** Whether it has on the other CPUs; as on the boot processor where absent. */
      syscfgMemEncryptOnAps: z.boolean().optional(),
      /** The memory map of a real machine, instead of one that follows from the size of RAM. */
      e820: z.array(e820Range).min(2).optional(),
      /** Its EFI memory map, where the log had it. */
      efiMemoryMap: z.array(efiRange).min(1).optional(),
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
      ebdaSegment: z.int().min(0).max(0xffff).default(0x9fc0),
      lowmemKilobytes: z.int().min(0).max(640).default(639),
    })
    .prefault({}),
  /** The built-in kernel image; a file says for itself what it is. */
  kernel: z
    .strictObject({
      size: size
        .refine((bytes) => bytes > 0 && bytes % 4096 === 0, { message: 'in whole pages' })
        .optional()
        .describe('_end − _text in bytes: 16 MiB, unless .bss is to be larger or smaller.'),
    })
    .optional(),
  loader: z
    .strictObject({
      /** Physical load address of the kernel. */
      kernelAt: size.optional(),
      /** Bytes of the machine's own RAM disk: the built-in one is filled up with zeros to as many. */
      initrdSize: size.refine((bytes) => bytes <= 2 ** 30, { message: 'at most 1 GiB' }).optional(),
      initrdAt: size.optional(),
      cmdlineAt: size.optional(),
      zeroPageAt: size
        .optional()
        .describe(
          'Physical address of the zero page (struct boot_params), 4096 bytes: RSI at entry.',
        ),
      /** A flattened device tree in the setup_data chain. */
      deviceTree: z.boolean().default(false),
    })
    .prefault({}),
  /** A guest with nested paging is run before /init. */
  guest: z.boolean().default(false),
  /** After /init another kernel is loaded and entered: patches 1 to `stage` are applied to it. */
  kexec: z.strictObject({ stage: stageNumber }).optional(),
  cmdline: z
    .string()
    .nullable()
    .default('console=tty0 root=/dev/ram0')
    .describe(
      'null: the loader passes none, cmd_line_ptr is 0. An empty one is a command line too.',
    ),
  config: z
    .strictObject({
      CONFIG_AMD_MEM_ENCRYPT: z.boolean().default(true),
      /** Firmware of 32 bits can be called: its arguments and stack are mapped 1:1. */
      CONFIG_EFI_MIXED: z.boolean().default(false),
    })
    .prefault({}),
  /** How the boot with the whole series ends. */
  expect: z
    .strictObject({
      outcome: z.enum(OUTCOME_KINDS),
      /** Exactly the names of consumed things that some reader does not get intact. */
      garbage: z.array(z.string().min(1)).refine(sortedOnce, UNSORTED).optional(),
    })
    .optional(),
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

/** The JSON Schema (draft-07) of a scenario file. */
export function scenarioJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(scenarioSchema, { target: 'draft-7', io: 'input' });
  return { title: 'sme-boot scenario', ...schema };
}
