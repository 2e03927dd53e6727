/** Translations of a CPU, without an effect on the machine. */
import { translated, type Pa, type Va } from '../machine/address.js';
import { isFault, type Cpu } from '../machine/cpu/cpu.js';
import { CR0, has } from '../machine/cpu/registers.js';
import type { TlbEntry } from '../machine/cpu/tlb.js';
import type { Machine } from '../machine/machine.js';
import { UnmodelledError } from '../machine/unmodelled.js';
import type { Fault, MemType } from '../machine/types.js';
import { quietTables } from '../machine/quiet.js';

/** The physical address of a virtual one, the C-bit of its page and its memory type. */
export interface Translated {
  readonly pa: Pa;
  readonly c: 0 | 1;
  readonly type: MemType;
}

/** Whether a CPU uses page tables. Throws E_UNMODELLED for legacy paging. */
export function pages(cpu: Cpu): boolean {
  if (!has(cpu.cr0, CR0.PG)) return false;
  if (!cpu.longMode) throw new UnmodelledError('legacy paging');
  return true;
}

/** The translation that the page tables in memory have now, whatever the TLB holds. */
function inTables(machine: Machine, cpu: Cpu, at: Va): TlbEntry | Fault {
  return cpu.walkTables(at, quietTables(machine));
}

/** The translation that the next read of an address uses: the TLB's if it has one, else that of the page tables. */
export function translationOf(machine: Machine, cpu: Cpu, at: Va): Translated | Fault {
  if (!pages(cpu)) {
    const found = cpu.translate(at);
    return isFault(found) ? found : { pa: found.pa, c: 0, type: found.type };
  }
  const entry = cpu.tlb.peek(at) ?? inTables(machine, cpu, at);
  if (isFault(entry)) return entry;
  return { pa: translated(entry, at), c: entry.key === 0 ? 0 : 1, type: entry.type };
}
