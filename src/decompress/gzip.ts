/** gzip (RFC 1952); pako inflates. */
import { Inflate } from 'pako';
import { crc32 } from './crc.js';
import type { Output } from './output.js';
import { hex32, type Source } from './source.js';

/** The most output bytes per byte of deflated input: a match of 258 bytes takes at least two bits (RFC 1951). */
export const GZIP_MAX_RATIO = 1032;

/** The fields of a member's header and trailer that are read (RFC 1952, 2.3). */
const MEMBER = { CM: 2, FLG: 3, header: 10, trailer: 8 } as const;
/** ID1 and ID2, little endian (RFC 1952, 2.3.1). */
const ID = 0x8b1f;
const CM_DEFLATE = 8;
/** Bits of FLG (RFC 1952, 2.3.1). */
const FLG = { FHCRC: 2, FEXTRA: 4, FNAME: 8, FCOMMENT: 16, reserved: 0xe0 } as const;
const CHUNK = 1 << 16;
const hex16 = (value: number): string => `0x${value.toString(16).padStart(4, '0')}`;
/** zlib's Z_DATA_ERROR; otherwise a stream ends early at the end of its input (Z_BUF_ERROR). */
const Z_DATA_ERROR = -3;

/** Decodes one member. Returns the offset of its end. Its CRC32 and size are checked unless `verify` is false. */
export function decodeGzip(source: Source, out: Output, verify = true): number {
  const start = out.length;
  const from = headerEnd(source, verify);
  const inflater = new Stored(source, out, from);
  inflater.push(source.bytes.subarray(from), true);
  const end = inflater.consumedTo();
  if (!inflater.whole) {
    if (inflater.err === Z_DATA_ERROR) throw source.corrupt(end, `deflate: ${inflater.msg}`);
    throw source.error('E_TRUNCATED', source.length, {
      reason: 'the gzip member ends inside its stream',
    });
  }
  source.need(end, MEMBER.trailer, 'CRC32 and ISIZE of the gzip member');
  if (verify) {
    const bytes = out.since(start);
    const stored = source.u32(end, 'CRC32 of the gzip member');
    source.checksum(end, 'CRC32 of the gzip member', hex32(stored), hex32(crc32(bytes)));
    const size = source.u32(end + 4, 'ISIZE of the gzip member');
    if (size !== bytes.length % 2 ** 32) {
      throw source.error('E_CORRUPT', end + 4, {
        reason: 'ISIZE of the gzip member',
        expected: `${bytes.length % 2 ** 32}`,
        found: `${size}`,
      });
    }
  }
  return end + MEMBER.trailer;
}

/** Offset of the deflate stream. The header's CRC16, if it has one, is the low half of a CRC32 (RFC 1952, 2.3.1). */
function headerEnd(source: Source, verify: boolean): number {
  source.need(0, MEMBER.header, 'header of the gzip member');
  if (source.u16(0, 'ID1 and ID2') !== ID) throw source.corrupt(0, 'no gzip member starts here');
  const method = source.u8(MEMBER.CM, 'CM');
  const flags = source.u8(MEMBER.FLG, 'FLG');
  if (method !== CM_DEFLATE) {
    throw source.error('E_CORRUPT', MEMBER.CM, {
      reason: 'compression method of the gzip member',
      expected: `${CM_DEFLATE} (deflate)`,
      found: `${method}`,
    });
  }
  if ((flags & FLG.reserved) !== 0) throw source.corrupt(MEMBER.FLG, 'a reserved flag of gzip');
  let at: number = MEMBER.header;
  if ((flags & FLG.FEXTRA) !== 0) at += 2 + source.u16(at, 'XLEN');
  for (const flag of [FLG.FNAME, FLG.FCOMMENT]) {
    if ((flags & flag) === 0) continue;
    const nul = source.bytes.indexOf(0, at);
    at = nul === -1 ? source.length + 1 : nul + 1;
    source.need(at, 0, 'name or comment of the gzip member');
  }
  if ((flags & FLG.FHCRC) !== 0) {
    const stored = source.u16(at, 'CRC16 of the gzip header');
    const computed = crc32(source.bytes.subarray(0, at)) % 2 ** 16;
    if (verify) source.checksum(at, 'CRC16 of the gzip header', hex16(stored), hex16(computed));
    at += 2;
  }
  source.need(at, 1, 'deflate stream');
  return at;
}

/** pako's inflater, which writes to an Output. */
class Stored extends Inflate {
  /** Whether the last block was read to its end. */
  whole = false;

  constructor(
    private readonly source: Source,
    private readonly out: Output,
    private readonly from: number,
  ) {
    super({ raw: true, chunkSize: CHUNK });
  }

  /** Bytes of input read. The library has it in its stream state only; a test compares it. */
  consumedTo(): number {
    const { avail_in: unread } = this['strm'] as { avail_in: number };
    return Math.min(this.source.length, this.source.length - unread);
  }

  override onData(chunk: Uint8Array): void {
    this.out.append(chunk, Math.max(this.from, this.consumedTo()));
  }

  override onEnd(status: number): void {
    this.whole = status === 0;
  }
}
