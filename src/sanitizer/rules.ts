/** The rules of the sanitizer: what each reports, the probe points that it watches, what it needs of the kernel model. */
import type { RuleInfo } from '../trace/report.js';
import type { Annotation } from './annotations.js';

export const RULES = [
  {
    id: 'wrong-key-read',
    title: 'read under another key than it was written with',
    what: 'Bytes were read with another C-bit than they were written with: the reader got noise.',
    watches: ['accessed', 'walked', 'guestWalked', 'permissionMapRead', 'dma'],
  },
  {
    id: 'mixed-key-line',
    title: 'a cache line in use under two keys',
    what: 'A line that was dirty under one key was read, written or flushed under the other, or its write-back destroyed newer data.',
    watches: ['accessed', 'dma', 'writingBack', 'writtenBack', 'linesFlushed'],
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
    what: 'Bytes that the loader put there for the kernel were overwritten unread, or a device wrote outside of its buffers.',
    watches: ['accessed', 'dma'],
    needs: ['what the loader placed', 'buffers of devices'],
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
  {
    id: 'mask-read-early',
    title: 'a mask read before its first write',
    what: 'The variable that has the C-bit was read before the write that set it: the reader used another value.',
    watches: ['accessed'],
    needs: ['mask variables'],
  },
  {
    id: 'wrong-memory-type',
    title: 'a memory type other than the code asked for',
    what: 'An access had another memory type than its mapping was asked for, MTRRs included.',
    watches: ['accessed'],
    needs: ['memory types of mappings'],
  },
  {
    id: 'freed-with-attribute',
    title: 'pages freed with an attribute other than the rest of free memory has',
    what: 'The next owner of the pages gets a mapping with another C-bit, memory type or protection than it expects.',
    watches: [],
    needs: ['freed pages'],
  },
  {
    id: 'noise-to-device',
    title: 'a device is given a buffer that holds noise',
    what: 'A buffer that a device is to read was never written, or written under another key than the device reads it.',
    watches: ['accessed', 'dma'],
    needs: ['buffers of devices'],
  },
  {
    id: 'encrypted-twice',
    title: 'memory encrypted twice, or decrypted twice',
    what: 'Whole lines were read under the wrong key, and the noise was written back in place under the key they had.',
    watches: ['accessed'],
  },
  {
    id: 'uninitialised-read',
    title: 'memory that was never written is used',
    what: 'A load of at most 8 bytes, or a walk, read memory that has what it had at power-on. A search may do that.',
    watches: ['accessed', 'walked', 'dma'],
    needs: ['searches'],
  },
  {
    id: 'table-not-found',
    title: 'a table that a search missed',
    what: 'A table is in the searched memory, but was written under another key than the search reads it.',
    watches: ['accessed', 'dma'],
    needs: ['searches'],
  },
] as const satisfies readonly (RuleInfo & { readonly needs?: readonly Annotation[] })[];

/** The id of a rule. */
export type RuleId = (typeof RULES)[number]['id'];

/** The ids of all rules. */
export const RULE_IDS: readonly RuleId[] = RULES.map(({ id }) => id);
