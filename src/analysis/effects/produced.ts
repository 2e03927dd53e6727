/**
 * What firmware and loader wrote to memory before the kernel ran, by physical address. For reports only: nothing
 * branches on it.
 */
import type { Boot } from '../../sequencer/boot.js';
import { asSource } from '../../base/byte-source.js';

/** A range of memory as firmware or loader wrote it. */
export interface ProducedBytes {
  /** `initrd`, `EFI system table`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The bytes that firmware or loader wrote at a physical address; undefined if they did not write the whole range. */
export function producedAt(boot: Boot, pa: number, length: number): ProducedBytes | undefined {
  const made = new Map(boot.recorder.snapshot().integrity.produced);
  const regions = [...boot.loaded.blobs, ...boot.regions()];
  for (const { name, base } of regions) {
    const bytes = made.get(name);
    if (bytes === undefined || typeof bytes === 'string') continue;
    const from = pa - base;
    if (from < 0 || from + length > bytes.length) continue;
    return { name, bytes: asSource(bytes).read(from, length) };
  }
  return undefined;
}
