/** `stale-translation`: an access by a translation whose page-table entry was changed since. */
import { translated, va as toVa } from '../../machine/address.js';
import { CR0 } from '../../machine/cpu/registers.js';
import type { Cpu } from '../../machine/cpu/cpu.js';
import { isFault } from '../../machine/cpu/fault.js';
import { MEMTYPE_NAMES } from '../../machine/cpu/memory-types.js';
import type { TlbEntry } from '../../machine/cpu/tlb.js';
import { quietTables } from '../../machine/quiet.js';
import type { MemType } from '../../machine/types.js';
import { cBit, describe, withC, type Access, type Watch } from '../watch.js';

/** What an entry says that contradicts an access, but for the address; undefined: nothing does. */
function contradicts(cpu: Cpu, now: TlbEntry, access: Access, type: MemType): string | undefined {
  if (now.key !== access.key) return withC(now.key);
  if (access.what === 'write' && !now.rw && (cpu.cr0 & CR0.WP) !== 0) return 'read-only';
  if (access.what === 'fetch' && now.nx) return 'no-execute';
  // With CR0.CD the type of an access is not that of the tables (APM 7.6.2).
  return type === now.type || (cpu.cr0 & CR0.CD) !== 0 ? undefined : MEMTYPE_NAMES[now.type];
}

export function checkTranslation(
  watch: Watch,
  id: number,
  va: number,
  access: Access,
  type: MemType,
): void {
  const { machine, translations, writers } = watch;
  for (const stale of translations.staleAt(id, va)) {
    const cpu = machine.cpus[id];
    const now = cpu?.walkTables(toVa(va), quietTables(machine));
    if (cpu === undefined || now === undefined) continue;
    const moved = !isFault(now) && translated(now, toVa(va)) !== access.start;
    const says = isFault(now) ? undefined : contradicts(cpu, now, access, type);
    if (!isFault(now) && !moved && says === undefined) {
      // Another access may be contradicted by what does not contradict this one.
      if (stale.rw === now.rw && stale.nx === now.nx) translations.forget(stale);
      continue;
    }
    translations.forget(stale);
    const writer = writers.get(stale.writer);
    watch.report({
      rule: 'stale-translation',
      ...watch.by(access),
      ...{ start: access.start, length: access.length, va, C: cBit(access.key) },
      what: `${describe(access.what)} by a translation in the TLB with ${withC(access.key)}; ${
        isFault(now)
          ? 'the entry is not present'
          : `the tables say ${moved ? withC(now.key) : (says ?? '')}`
      }`,
      ...(writer !== undefined && { earlier: { what: 'changed its page-table entry', writer } }),
      // With the same address only the attributes may be wrong: a read under another key is a report of its own.
      outcome: moved ? 'garbage consumed' : 'nothing yet',
    });
  }
}
