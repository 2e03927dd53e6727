/** The rules of the sanitizer: what each reports, the probe points that it watches, what it needs of the kernel model. */
import type { RuleInfo } from '../trace/report.js';

export const RULES = [
  {
    id: 'wrong-key-read',
    title: 'read under another key than it was written with',
    what: 'Bytes were read with another C-bit than they were written with: the reader got noise.',
    watches: ['accessed', 'walked', 'dma'],
  },
  {
    id: 'mixed-key-line',
    title: 'a cache line in use under two keys',
    what: 'A line was dirty under one key while it was touched under the other, or its write-back destroyed newer data.',
    watches: ['accessed', 'dma', 'writtenBack', 'lineFlushed'],
  },
  {
    id: 'stale-translation',
    title: 'a translation used after its entry was changed',
    what: 'An access used a TLB entry whose page-table entry was changed since, without a flush in between.',
    watches: ['accessed', 'walked', 'translated', 'flushed'],
  },
  {
    id: 'foreign-owner-write',
    title: "a write over another owner's bytes",
    what: 'Bytes that the loader put there for the kernel were overwritten before anything had read them.',
    watches: ['accessed', 'dma'],
    needs: ['what the loader placed'],
  },
  {
    id: 'key-disagreement',
    title: 'device and CPU, or two CPUs, disagree about the key',
    what: 'Memory that two parties share was accessed by one of them with the C-bit and by the other without.',
    watches: ['accessed', 'dma'],
  },
  {
    id: 'cbit-on-mmio',
    title: 'the C-bit on MMIO',
    what: 'Registers of a device were accessed through a mapping with the C-bit.',
    watches: ['accessed'],
  },
  {
    id: 'cbit-not-in-force',
    title: 'the C-bit used where it is not in force',
    what: 'A page-table entry with the C-bit was used before SYSCFG enabled encryption, or on a CPU without it.',
    watches: ['accessed', 'walked', 'faulted'],
  },
] as const satisfies readonly RuleInfo[];

/** The id of a rule. */
export type RuleId = (typeof RULES)[number]['id'];

/** The ids of all rules. */
export const RULE_IDS: readonly RuleId[] = RULES.map(({ id }) => id);
