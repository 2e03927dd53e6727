/** The memory in the clear as data for programs. */
import { hex } from '../machine/address.js';
import { rangeText } from '../inspect/exposed.js';
import type { ClearAccess, Code } from '../inspect/exposure/bus-log.js';
import type { ChangedRange, Changes } from '../inspect/exposure/changes.js';
import type { ExposedRange, Exposure } from '../inspect/exposure/exposure.js';

const codeData = ({ fn, file, patch, hunk }: Code): object => ({ fn, file, patch, hunk });

function accessData(
  { access, bytes }: ExposedRange['writes'][number],
  labels: readonly string[],
): object {
  const { step, cpu, encryption, paging, through }: ClearAccess = access;
  return {
    bytes,
    label: labels[step],
    ...(cpu !== undefined && { cpu, encryption, paging, through }),
  };
}

function rangeData(range: ExposedRange, labels: readonly string[]): object {
  const { start, bytes, where, newer, ciphertext, names, owner, writer, writes, why, contents } =
    range;
  return {
    pa: rangeText({ start, bytes }),
    start: hex(start),
    bytes,
    where,
    newerInCache: newer,
    ciphertextBytes: ciphertext,
    names,
    owner,
    writer: codeData(writer),
    writes: writes.map((write) => accessData(write, labels)),
    reason: why.reason,
    why: why.text,
    contents,
  };
}

const changeData = ({ start, bytes, by }: ChangedRange): object => ({
  pa: rangeText({ start, bytes }),
  bytes,
  by: codeData(by),
});

/** An exposure, with the changes since the one before if there is one. */
export function exposureData(
  exposure: Exposure,
  labels: readonly string[],
  since?: { readonly label: string; readonly changes: Changes },
): object {
  const { encryption, written, dram, cache, ranges, remnants } = exposure;
  return {
    encryptingCpus: encryption,
    writtenBytes: written,
    dramBytes: dram,
    cacheBytes: cache,
    ranges: ranges.map((range) => rangeData(range, labels)),
    remnants: remnants.map((range) => ({ pa: rangeText(range), bytes: range.bytes })),
    ...(since !== undefined && {
      since: {
        label: since.label,
        came: since.changes.came.map(changeData),
        went: since.changes.went.map(changeData),
      },
    }),
  };
}
