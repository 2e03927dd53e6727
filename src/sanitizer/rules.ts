/** The rules of the sanitizer: what each reports, the probe points that it watches, what it needs of the kernel model. */
import type { RuleInfo } from '../trace/report.js';

export const RULES = [
  {
    id: 'wrong-key-read',
    title: 'read under another key than it was written with',
    what: 'Bytes were read with another C-bit than they were written with: the reader got noise.',
    watches: ['accessed', 'dma', 'guestAccessed'],
  },
  {
    id: 'mixed-key-line',
    title: 'a cache line in use under two keys',
    what: 'A line was dirty under one key while it was touched under the other, or its write-back destroyed newer data.',
    watches: ['accessed', 'dma', 'filled', 'writtenBack'],
  },
  {
    id: 'stale-translation',
    title: 'a translation used after its entry was changed',
    what: 'An access used a TLB entry whose page-table entry was changed since, without a flush in between.',
    watches: ['accessed', 'translated', 'flushed'],
  },
  {
    id: 'foreign-owner-write',
    title: "a write into another owner's memory",
    what: 'Code or a device wrote into a range that another owner holds.',
    watches: ['accessed', 'dma'],
    needs: ['owners'],
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
    watches: ['accessed', 'translated'],
  },
  {
    id: 'cbit-not-in-force',
    title: 'the C-bit used where it is not in force',
    what: 'A page-table entry with the C-bit was used before SYSCFG enabled encryption, or on a CPU without it.',
    watches: ['translated', 'controlWritten'],
  },
  {
    id: 'mask-read-early',
    title: 'an encryption mask read before its first write',
    what: 'The mask was read before code wrote it: entries that were made of it lack the C-bit.',
    watches: ['accessed'],
    needs: ['masks'],
  },
  {
    id: 'wrong-memory-type',
    title: 'another memory type than the code asked for',
    what: 'The PAT slot or the MTRRs gave an access another memory type than the code asked for.',
    watches: ['accessed', 'patSlotUsed', 'msrWritten'],
    needs: ['memory types'],
  },
  {
    id: 'freed-with-attribute',
    title: 'a page freed with an attribute of its own',
    what: 'A page was freed while its mapping had another C-bit than those around it: its next owner inherits it.',
    watches: ['translated'],
    needs: ['freed pages'],
  },
  {
    id: 'noise-to-device',
    title: 'a buffer of noise handed to a device',
    what: 'A device was given a buffer whose bytes, under the key that it uses, are noise.',
    watches: ['dma'],
  },
  {
    id: 'encrypted-twice',
    title: 'memory encrypted or decrypted twice',
    what: 'A range was encrypted in place that was encrypted already, or decrypted that was not encrypted.',
    watches: ['accessed', 'keyChanged'],
  },
  {
    id: 'uninitialised-read',
    title: 'uninitialised memory used',
    what: 'Bytes were read that were never written.',
    watches: ['accessed', 'dma'],
  },
  {
    id: 'table-not-found',
    title: 'a table looked for and not found',
    what: 'A search passed over a table that is there, since it was read under another key than it was written with.',
    watches: ['accessed'],
    needs: ['searches'],
  },
] as const satisfies readonly RuleInfo[];

/** The id of a rule. */
export type RuleId = (typeof RULES)[number]['id'];
