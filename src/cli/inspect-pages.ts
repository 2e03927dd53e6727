/** The views of `sme-boot inspect` of translations: page walks and page tables. */
import { hex } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { parsePlace, virtualOf } from '../inspect/place.js';
import { mappedRanges } from '../inspect/tables.js';
import { pageName, tlbOf } from '../inspect/tlb.js';
import { pages } from '../inspect/translation.js';
import { walkOf } from '../inspect/walk.js';
import { walkEnd, walkRows } from '../inspect/walk-text.js';
import { printable } from '../base/printable.js';
import { table } from './columns.js';
import { counted, type View } from './inspect-view.js';

/** The page walk for an address. */
export function vtop(boot: InspectedBoot, cpu: Cpu, text: string): View {
  const walk = walkOf(boot.machine, cpu, virtualOf(parsePlace(boot, text, 'va')));
  return {
    name: 'vtop',
    heading: printable(text),
    data: walk,
    compared: () => ({
      facts: [
        { name: 'virtual', value: walk.va },
        ...walkRows(walk).map(([name = '', ...cells]) => ({ name, value: cells.join(' ').trim() })),
        { name: 'translation', value: walkEnd(walk) },
      ],
    }),
    text: (columns) =>
      `${printable(text)} = ${walk.va}\n${table(walkRows(walk), columns)}${walkEnd(walk)}\n`,
  };
}

const PAGING_OFF = 'paging is off\n';

/** The page tables in use as ranges. */
export function ptdump({ machine }: InspectedBoot, cpu: Cpu): View {
  const mapped = mappedRanges(machine, cpu);
  const ranges = mapped.map((range) => ({
    ...range,
    va: hex(range.va),
    pa: hex(range.pa),
    page: pageName(range.page),
    last: hex(range.va + range.bytes - 1),
  }));
  const rows = ranges.map(({ va: from, last, pa: to, page, c, type, flags, reserved }) => [
    `${from}-${last}`,
    to,
    page,
    c === 1 ? 'ENC' : '   ',
    type,
    reserved === undefined ? flags : `${flags}, reserved bits ${reserved}`,
  ]);
  return {
    name: 'ptdump',
    data: ranges,
    compared: () => ({
      ranges: mapped.map(({ va: start, bytes, pa: target, page, c, type, flags, reserved }) => ({
        start,
        bytes,
        target,
        value: [
          pageName(page),
          `C=${String(c)}`,
          type,
          flags,
          ...(reserved === undefined ? [] : [`reserved bits ${reserved}`]),
        ].join(' '),
      })),
    }),
    text: (columns) =>
      pages(cpu)
        ? table([['virtual', 'physical', 'page', 'ENC', 'type', 'flags'], ...rows], columns)
        : PAGING_OFF,
  };
}

/** The translations that a CPU's TLB holds. */
export function tlb({ machine }: InspectedBoot, cpu: Cpu): View {
  const entries = tlbOf(machine, cpu);
  const rows = entries.map(({ va, bytes, page, pa, c, type, flags, stale }) => [
    va,
    page === undefined ? pageName(bytes) : `${pageName(bytes)} of ${pageName(page)}`,
    pa,
    `C=${String(c)}`,
    type,
    flags,
    stale === undefined ? 'same' : `stale: tables say ${stale}`,
  ]);
  const head = ['virtual', 'size', 'physical', 'C', 'type', 'flags', 'tables now'];
  const stale = entries.filter((entry) => entry.stale !== undefined).length;
  const count = `${counted(entries.length, 'translation')}, ${String(stale)} stale\n`;
  return {
    name: 'tlb',
    data: entries,
    compared: () => ({
      facts: rows.map(([va = '', size = '', ...cells]) => ({
        name: `${va} ${size}`,
        value: cells.filter((cell) => cell !== '').join(' '),
      })),
    }),
    text: (columns) =>
      entries.length === 0
        ? 'the TLB holds no translation\n'
        : table([head, ...rows], columns) + count,
  };
}
