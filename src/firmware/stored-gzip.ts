/** Writes a gzip member (RFC 1952) of stored blocks (RFC 1951, 3.2.4), which are not compressed. */
import { crc32 } from '../decompress/crc.js';

/** Most bytes of a stored block: LEN has 16 bits. */
const MAX_BLOCK = 0xffff;
/** BFINAL, BTYPE 0 in the low bits of a byte, then LEN and its complement NLEN. */
const BLOCK_HEADER = 5;
/**
 * ID1, ID2, CM = deflate, no flags, MTIME = 0 (none), XFL = 4 (fastest algorithm), OS = 3 (Unix; our choice) (RFC 1952,
 * 2.3).
 */
const MEMBER_HEADER = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3] as const;
/** CRC32 and ISIZE. */
const MEMBER_TRAILER = 8;

/** One gzip member with `bytes`: 5 bytes more for each 65535, and 18 for the member. The same bytes give the same member. */
export function storedGzip(bytes: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.length / MAX_BLOCK));
  const size = MEMBER_HEADER.length + blocks * BLOCK_HEADER + bytes.length + MEMBER_TRAILER;
  const member = new Uint8Array(size);
  const view = new DataView(member.buffer);
  member.set(MEMBER_HEADER);
  let at: number = MEMBER_HEADER.length;
  for (let block = 0; block < blocks; block++) {
    const part = bytes.subarray(block * MAX_BLOCK, (block + 1) * MAX_BLOCK);
    view.setUint8(at, block === blocks - 1 ? 1 : 0);
    view.setUint16(at + 1, part.length, true);
    view.setUint16(at + 3, part.length ^ 0xffff, true);
    member.set(part, at + BLOCK_HEADER);
    at += BLOCK_HEADER + part.length;
  }
  view.setUint32(at, crc32(bytes), true);
  view.setUint32(at + 4, bytes.length, true);
  return member;
}
