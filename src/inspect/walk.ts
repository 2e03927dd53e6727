/** The page walk for an address: the entry of each level, then the translation. */
import {
  alignDown,
  hex,
  PAGE_SIZE,
  PGDIR_SIZE,
  PMD_SIZE,
  PUD_SIZE,
  type Va,
} from '../machine/address.js';
import { isFault, type Cpu } from '../machine/cpu/cpu.js';
import { entryText } from '../kernel/fault-text.js';
import { MEMTYPE_NAMES } from '../machine/cpu/memory-types.js';
import { bitNumbers } from '../machine/cpu/mmu.js';
import type { Machine } from '../machine/machine.js';
import { quietTables } from '../machine/quiet.js';
import { pages, translationOf } from './translation.js';

/** Bytes mapped by an entry of each level. */
const SPANS = { PGD: PGDIR_SIZE, PUD: PUD_SIZE, PMD: PMD_SIZE, PTE: PAGE_SIZE } as const;

/** One level of a walk; addresses and the entry in hexadecimal. */
export interface WalkLevel {
  readonly level: string;
  readonly table: string;
  /** The C-bit that the table is read with. */
  readonly readAs: 'C=0' | 'C=1';
  readonly index: number;
  readonly entry: string;
  /** The entry's own C-bit. */
  readonly c: 0 | 1;
  /** `table`, `leaf`, or the reason why the walk ends. */
  readonly kind: string;
  /** Reserved bits that are set: `51..48, 43`. */
  readonly reserved?: string;
  /** Neither memory nor a device is at the entry's address. */
  readonly absent?: true;
  /** Of a leaf: `RW|A|D|G|NX`. */
  readonly flags?: string;
  readonly target?: string;
}

/** A page walk and its translation: physical address, C-bit and effective memory type, or the fault. */
export interface Walk {
  readonly va: string;
  readonly levels: readonly WalkLevel[];
  readonly pa?: string;
  readonly c?: 0 | 1;
  readonly type?: string;
  /** The translation is from the TLB and differs from the page tables. */
  readonly stale?: true;
  /** Paging is off: the address is physical. */
  readonly paging?: false;
  readonly fault?: string;
  readonly why?: string;
}

/**
 * Walks a CPU's page tables for an address; the translation is the TLB's if it has one. No levels if paging is off. Has no
 * side effects.
 */
export function walkOf(machine: Machine, cpu: Cpu, address: Va): Walk {
  const paging = pages(cpu);
  const steps = paging ? cpu.traceWalk(address, quietTables(machine)) : [];
  const levels = steps.map((step) => ({
    level: step.level,
    table: hex(step.table),
    readAs: step.key === 0 ? ('C=0' as const) : ('C=1' as const),
    index: step.index,
    entry: `0x${step.entry.toString(16).padStart(16, '0')}`,
    c: step.c,
    kind: step.kind,
    ...(step.reserved !== 0n && { reserved: bitNumbers(step.reserved) }),
    ...(step.absent && { absent: true as const }),
    ...(step.kind === 'leaf' && { flags: cpu.decodeEntry(step.entry, SPANS[step.level]).flags }),
    ...(step.target === undefined ? {} : { target: hex(step.target) }),
  }));
  const found = translationOf(machine, cpu, address);
  if (isFault(found)) {
    const why = found.read === undefined ? found.why : `${found.why}, ${entryText(found.read)}`;
    return { va: hex(address), levels, fault: `#PF(${String(found.error)})`, why };
  }
  const leaf = steps.find(({ kind }) => kind === 'leaf');
  const inTables =
    leaf?.target === undefined
      ? undefined
      : leaf.target + (address - alignDown(address, SPANS[leaf.level]));
  const { c } = found;
  return {
    va: hex(address),
    levels,
    pa: hex(found.pa),
    c,
    type: MEMTYPE_NAMES[found.type],
    ...(!paging && { paging: false as const }),
    ...(paging && (inTables !== found.pa || leaf?.c !== c) && { stale: true as const }),
  };
}
