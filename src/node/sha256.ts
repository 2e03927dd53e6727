/** SHA-256 by Node. */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../base/byte-source.js';

/** Bytes that are hashed at once. */
const CHUNK = 1 << 22;

/** SHA-256 of bytes, of a text or of a file that is read in parts, in hexadecimal. */
export function sha256(bytes: Uint8Array | string | ByteSource): string {
  const hash = createHash('sha256');
  if (typeof bytes === 'string' || bytes instanceof Uint8Array)
    return hash.update(bytes).digest('hex');
  for (let at = 0; at < bytes.length; at += CHUNK) {
    hash.update(bytes.read(at, Math.min(CHUNK, bytes.length - at)));
  }
  return hash.digest('hex');
}
