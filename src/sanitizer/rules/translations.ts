/** `stale-translation`: an access by a translation whose page-table entry was changed since. */
import { translated, va as toVa } from '../../machine/address.js';
import { isFault } from '../../machine/cpu/fault.js';
import { quietTables } from '../../machine/quiet.js';
import { cBit, describe, withC, type Access, type Watch } from '../watch.js';

export function checkTranslation(watch: Watch, cpu: number, va: number, access: Access): void {
  const { machine, translations, writers } = watch;
  for (const stale of translations.staleAt(cpu, va)) {
    const now = machine.cpus[cpu]?.walkTables(toVa(va), quietTables(machine));
    translations.forget(stale);
    if (now === undefined) continue;
    const target = isFault(now) ? undefined : { pa: translated(now, toVa(va)), key: now.key };
    if (target?.pa === access.start && target.key === access.key) continue;
    const writer = writers.get(stale.writer);
    watch.report({
      rule: 'stale-translation',
      ...watch.by(access),
      ...{ start: access.start, length: access.length, va, C: cBit(access.key) },
      what: `${describe(access.what)} by a translation in the TLB with ${withC(access.key)}; ${
        target === undefined ? 'the entry is not present' : `the tables say ${withC(target.key)}`
      }`,
      ...(writer !== undefined && { earlier: { what: 'changed its page-table entry', writer } }),
      // With the same address only the key may be wrong: a read under it is a report of its own.
      outcome:
        target === undefined || target.pa === access.start ? 'nothing yet' : 'garbage consumed',
    });
  }
}
