/** Chooses the modelled processor for the one in a log. */
import { own } from '../base/own.js';
import { CPU_MODELS } from '../machine/cpu/cpu-models.js';
import type { CpuFact, DmesgFacts } from './dmesg-facts.js';

/** A model by its name in scenarios, with the reason. */
export interface ChosenCpu {
  readonly cpu: string;
  /** The processor in the log that the model was chosen for. */
  readonly because: string;
  /** Why the model is a guess: it differs from the log's processor in a relevant way, or the log is ambiguous. */
  readonly guess?: string;
}

const DEFAULT_CPU = 'zen-1';
const INTEL = 'intel-broadwell';
const HYGON = 'hygon-dhyana';

interface Row {
  readonly family: number;
  readonly from: number;
  readonly to: number;
  readonly cpu: string;
  readonly name: string;
  /** Why the model differs from `name`. */
  readonly guess?: string;
}

const ANY = { from: 0, to: 0xff } as const;
const NO_ZEN6 = 'Zen 6 is not modelled';
const zen = (family: number, from: number, to: number, n: 1 | 2 | 3 | 4 | 5): Row => ({
  family,
  from,
  to,
  cpu: n === 4 ? 'epyc-9654' : `zen-${String(n)}`,
  name: `Zen ${String(n)}`,
});
/** Families and models by name: from Zen on as in the kernel (arch/x86/kernel/cpu/amd.c, bsp_init_amd in 6.18). */
const AMD: readonly Row[] = [
  { family: 0xf, ...ANY, cpu: 'amd-k8', name: 'K8' },
  { family: 0x10, ...ANY, cpu: 'amd-k10', name: 'K10' },
  { family: 0x11, ...ANY, cpu: 'amd-k8', name: 'Griffin', guess: 'Griffin is not modelled' },
  { family: 0x12, ...ANY, cpu: 'amd-k10', name: 'Llano', guess: 'Llano is not modelled' },
  { family: 0x14, ...ANY, cpu: 'amd-bobcat', name: 'Bobcat' },
  { family: 0x15, ...ANY, cpu: 'amd-bulldozer', name: 'Bulldozer and its successors' },
  { family: 0x16, ...ANY, cpu: 'amd-jaguar', name: 'Jaguar and Puma' },
  zen(0x17, 0x00, 0x2f, 1),
  zen(0x17, 0x50, 0x5f, 1),
  zen(0x17, 0x30, 0x4f, 2),
  zen(0x17, 0x60, 0x7f, 2),
  zen(0x17, 0x90, 0x91, 2),
  zen(0x17, 0xa0, 0xaf, 2),
  zen(0x19, 0x00, 0x0f, 3),
  zen(0x19, 0x20, 0x5f, 3),
  zen(0x19, 0x10, 0x1f, 4),
  zen(0x19, 0x60, 0xaf, 4),
  zen(0x1a, 0x00, 0x2f, 5),
  zen(0x1a, 0x40, 0x4f, 5),
  zen(0x1a, 0x60, 0x7f, 5),
  { family: 0x1a, from: 0x50, to: 0x5f, cpu: 'zen-5', name: 'Zen 6', guess: NO_ZEN6 },
  { family: 0x1a, from: 0x80, to: 0xcf, cpu: 'zen-5', name: 'Zen 6', guess: NO_ZEN6 },
];
/** The model for a Zen family whose model number is in no range: the family's first. */
const OF_FAMILY = new Map([
  [0x17, 'zen-1'],
  [0x19, 'zen-3'],
  [0x1a, 'zen-5'],
]);
const NEWEST = 'zen-5';
const FIRST_WITH_SME = 0x17;

/** Names of AMD's parts, for logs without a family: kernels before 3.7, and distribution kernels long after. */
const AMD_NAMES: readonly (readonly [RegExp, string])[] = [
  [/\bEPYC (?:3\d\d1|7\d\d1|Embedded 3)/, 'zen-1'],
  [/\bEPYC(?:-Rome| 7\w\d2)\b/, 'zen-2'],
  [/\bEPYC(?:-Milan| 7\w\d3)\b/, 'zen-3'],
  [/\bEPYC(?:-Genoa| [489]\w\d4)\b/, 'epyc-9654'],
  [/\bEPYC(?:-Turin| [49]\w\d5)\b/, 'zen-5'],
  [/\bEPYC\b|\bRyzen\b|\bThreadripper\b/, 'zen-1'],
  [
    /\bOpteron\(tm\) (?:Processor |X)?(?:62|63|32|33|42|43)\d\d|\bFX\(tm\)|\bFX-\d/,
    'amd-bulldozer',
  ],
  [
    /\bOpteron\(tm\) Processor (?:61|41|23|24|83|84|13)\w\w|\bPhenom\b|\bAthlon\(tm\) II|\bSempron\(tm\) 1/,
    'amd-k10',
  ],
  [/\b[CEZ]-\d\d\b|\bE-?[123]?\d\d0\b/, 'amd-bobcat'],
  [/\bA\d{1,2}-[45]\d/, 'amd-bulldozer'],
];

/** Vendors that print_cpu_info prints before a name, and vendors' names in it (arch/x86/kernel/cpu/, c_vendor). */
const OTHERS =
  /^(?:Centaur|VIA|ZHAOXIN|zhaoxin|Shanghai|Cyrix|NSC|Geode|Transmeta|UMC|Vortex|SiS|RISE|NexGen)\b/i;
/** Intel is not always the first word: "11th Gen Intel(R) Core(TM)", "Genuine Intel(R) CPU". */
const IS_INTEL = /\bIntel\b|\bGenuineIntel\b|\bXeon\b|\bPentium\b|\bCeleron\b/;
const IS_AMD =
  /\bAMD\b|\bAMD-|AuthenticAMD|\bEPYC\b|\bRyzen\b|\bAthlon\b|\bOpteron\b|\bPhenom\b|\bSempron\b|\bTurion\b/;
const IS_HYGON = /\bHygon\b/i;

const hex = (value: number): string => `0x${value.toString(16)}`;

/** The processor as printed in a remark. */
function named({ name, family, model }: CpuFact): string {
  return family === undefined || model === undefined
    ? name
    : `${name} (family ${hex(family)}, model ${hex(model)})`;
}

/** The model for the processor in a log. */
export function chooseCpu({ cpu, vendor }: DmesgFacts): ChosenCpu {
  if (cpu === undefined) return byVendor(vendor);
  const { name } = cpu;
  if (IS_HYGON.test(name)) return { cpu: HYGON, because: named(cpu) };
  if (OTHERS.test(name)) return otherVendor(cpu);
  if (IS_AMD.test(name)) return amd(cpu);
  if (IS_INTEL.test(name)) return { cpu: INTEL, because: `${named(cpu)}, which has no SME either` };
  // A hypervisor's name for its processor does not identify the vendor; Intel has no families from 0x10 on, AMD has.
  if (cpu.family !== undefined && cpu.family >= 0x10) return amd(cpu);
  return otherVendor(cpu);
}

function otherVendor(cpu: CpuFact): ChosenCpu {
  return {
    cpu: INTEL,
    because: named(cpu),
    guess: 'its vendor is not modelled: a processor without SME instead',
  };
}

function byVendor(vendor: DmesgFacts['vendor']): ChosenCpu {
  if (vendor === undefined) {
    return { cpu: DEFAULT_CPU, because: 'an unknown processor', guess: 'the log does not name it' };
  }
  const guess = `the log does not name it, but has "${vendor.because}"`;
  return vendor.name === 'Intel'
    ? { cpu: INTEL, because: 'an Intel processor', guess }
    : { cpu: DEFAULT_CPU, because: 'an AMD processor', guess };
}

function amd(cpu: CpuFact): ChosenCpu {
  const { family, model = 0 } = cpu;
  if (family === undefined) {
    const byName = AMD_NAMES.find(([pattern]) => pattern.test(cpu.name))?.[1];
    return {
      cpu: byName ?? 'amd-k8',
      because: cpu.name,
      guess:
        byName === undefined
          ? 'the log has no family and the name is unknown: a part before family 0x17'
          : 'the log has no family: chosen by the name',
    };
  }
  const row = AMD.find((each) => each.family === family && model >= each.from && model <= each.to);
  if (row !== undefined) {
    const because = `${named(cpu)}: ${row.name}${family < FIRST_WITH_SME ? ', without SME' : ''}`;
    return { cpu: row.cpu, because, ...(row.guess === undefined ? {} : { guess: row.guess }) };
  }
  if (family < FIRST_WITH_SME) {
    return {
      cpu: 'amd-k8',
      because: named(cpu),
      guess: 'a family before SME that is not modelled',
    };
  }
  return {
    cpu: OF_FAMILY.get(family) ?? NEWEST,
    because: named(cpu),
    guess: OF_FAMILY.has(family)
      ? 'the kernel has no name for this model: the first of its family'
      : 'a family that is not modelled: the newest modelled one',
  };
}

/** Whether a modelled processor can encrypt memory. */
export const canEncrypt = (cpu: string): boolean => own(CPU_MODELS, cpu)?.sme !== undefined;

/** A model's C-bit and address reduction, for a remark. */
export function cBitOf(cpu: string): string {
  const { name, sme } = own(CPU_MODELS, cpu) ?? {};
  return `C-bit ${String(sme?.cBit)}, ${String(sme?.reduction)} address bits fewer, as on ${String(name)}`;
}
