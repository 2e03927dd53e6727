/** Why a range is in the clear: from who wrote it, the state of that CPU, and who used it without a key since. */
import { hex } from '../../machine/address.js';
import type { ClearAccess, LineHistory } from './bus-log.js';
import type { Owner } from './owners.js';

/**
 * - `firmware`: the memory map gives it to firmware.
 * - `device`: a device used it without the C-bit, or may be told to.
 * - `unpaged`: a CPU with paging off used it: it has no C-bit then (APM 7.10.3).
 * - `page-walk`: the page tables of a CPU are in it, and are read without the C-bit.
 * - `mapped`: a mapping without the C-bit reaches it now.
 * - `in-use`: none of these, but it was used so in the step that ran last.
 * - `forgotten`: none of these at the end of a boot: it is left over.
 * - `unused`: none of these while the boot goes on: code may come that encrypts it.
 * - `not-known`: the boot was not recorded.
 */
export const REASONS = [
  'firmware',
  'device',
  'unpaged',
  'page-walk',
  'mapped',
  'in-use',
  'forgotten',
  'unused',
  'not-known',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Why {
  readonly reason: Reason;
  readonly text: string;
}

/** The histories of the lines of a range, each with the bytes that have it. */
export type Histories = readonly { readonly history: LineHistory; readonly bytes: number }[];

/** The facts about a range. */
export interface Facts {
  readonly owner: Owner;
  /** False: firmware and loader wrote it, before the kernel. */
  readonly byKernel: boolean;
  /** undefined: the boot was not recorded. */
  readonly histories: Histories | undefined;
  /** The first virtual address that maps a part of it without the C-bit now. */
  readonly mappedAt: number | undefined;
  /** The CPU whose CR3 leads to page tables in it without the C-bit. */
  readonly walkedBy: number | undefined;
  /** Index of the step that ran last, and the labels of the steps. */
  readonly step: number;
  /** The boot has ended. */
  readonly ended: boolean;
  readonly labels: readonly string[];
}

/** The accesses of one kind in a range: the latest one, its function or device, and the bytes that were accessed. */
interface Uses {
  readonly last: ClearAccess;
  /** The names of all functions or devices, in the order of their first lines. */
  readonly names: readonly string[];
  readonly bytes: number;
}

/** The uses of one kind; undefined if there are none. */
export function usesOf(
  histories: Histories,
  kind: 'use' | 'device' | 'unpaged' | 'walk',
): Uses | undefined {
  let last: ClearAccess | undefined;
  let bytes = 0;
  const names = new Set<string>();
  for (const { history, bytes: size } of histories) {
    const access = history[kind];
    if (access === undefined) continue;
    bytes += size;
    names.add(access.by.fn);
    if (last === undefined || access.step > last.step) last = access;
  }
  return last === undefined ? undefined : { last, names: [...names], bytes };
}

const few = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and others`;

/** How the plaintext was left: before encryption, without paging, or through a mapping. */
function leftBy(histories: Histories, byKernel: boolean): string {
  const writes = histories.flatMap(({ history: { write } }) =>
    write === undefined ? [] : [write],
  );
  const [write] = writes;
  if (write === undefined) {
    return byKernel ? 'its write is not on record' : 'left from before encryption was on';
  }
  if (write.device) return `written by the device ${write.by.fn} without the C-bit`;
  const cpu = `CPU ${String(write.cpu ?? 0)}`;
  if (!write.encryption) return `left from before encryption was on for ${cpu}`;
  if (!write.paging) return `written by ${cpu} with paging off`;
  return 'written through C=0 with encryption on';
}

/** The reason, by the first of the mechanisms that applies. */
export function whyOf({
  owner,
  byKernel,
  histories,
  mappedAt,
  walkedBy,
  step,
  ended,
  labels,
}: Facts): Why {
  const at = (access: ClearAccess): string => labels[access.step] ?? '?';
  if (owner.kind === 'firmware') {
    return {
      reason: 'firmware',
      text: `the firmware's (${owner.text}), not the kernel's to encrypt`,
    };
  }
  if (histories === undefined) {
    return { reason: 'not-known', text: 'the boot was not recorded' };
  }
  const pool = owner.kind === 'bounce buffers';
  const device = usesOf(histories, 'device');
  if (device !== undefined) {
    const who = `${few(device.names)} used ${String(device.bytes)} bytes of it, last in ${at(device.last)}`;
    return { reason: 'device', text: `devices access it without the C-bit: ${who}` };
  }
  if (pool) {
    const text = 'devices may be given addresses in it without the C-bit; none has used it';
    return { reason: 'device', text };
  }
  const unpaged = usesOf(histories, 'unpaged');
  if (unpaged !== undefined) {
    const who = `CPU ${String(unpaged.last.cpu ?? 0)} in ${few(unpaged.names)}, ${String(unpaged.bytes)} bytes, last in ${at(unpaged.last)}`;
    return { reason: 'unpaged', text: `used with paging off, where no C-bit exists: ${who}` };
  }
  if (walkedBy !== undefined) {
    const text = `page tables of CPU ${String(walkedBy)}, which reads them without the C-bit`;
    return { reason: 'page-walk', text };
  }
  const left = leftBy(histories, byKernel);
  if (mappedAt !== undefined) {
    const next = owner.kind === 'free' ? ', and so for its next owner' : '';
    const text = `${left}; mapped with C=0 now${next}: ${hex(mappedAt)}`;
    return { reason: 'mapped', text };
  }
  const use = latest(usesOf(histories, 'use'), usesOf(histories, 'walk'));
  if (use !== undefined && use.last.step >= step) {
    return { reason: 'in-use', text: `${left}; in use by ${few(use.names)}` };
  }
  const idle =
    use === undefined
      ? 'not used in the clear since'
      : `last used in the clear by ${use.last.by.fn} in ${at(use.last)}`;
  const text = `${left}; ${idle}; no mapping with C=0 reaches it`;
  return { reason: ended ? 'forgotten' : 'unused', text };
}

const latest = (a: Uses | undefined, b: Uses | undefined): Uses | undefined =>
  (a?.last.step ?? -1) >= (b?.last.step ?? -1) ? a : b;
