/** What somebody put into memory before the kernel ran, by its physical address. A view for reports: nothing branches on it. */
import type { Boot } from '../../sequencer/boot.js';
import { asSource } from '../../base/byte-source.js';

/** A stretch of memory as its producer left it. */
export interface ProducedBytes {
  /** `initrd`, `EFI system table`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The bytes that firmware or loader put at a physical address; undefined where nobody did, or only a part is known. */
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
