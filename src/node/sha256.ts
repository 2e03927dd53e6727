/** SHA-256 by Node. */
import { createHash } from 'node:crypto';
import { chunksOf, type ByteSource } from '../base/byte-source.js';

/** SHA-256 of bytes, of a text or of a source that is read in parts, in hexadecimal. */
export function sha256(bytes: Uint8Array | string | ByteSource): string {
  const hash = createHash('sha256');
  if (typeof bytes === 'string' || bytes instanceof Uint8Array)
    return hash.update(bytes).digest('hex');
  for (const { bytes: chunk } of chunksOf(bytes)) hash.update(chunk);
  return hash.digest('hex');
}
