/** lib/decompress_inflate.c: a gzip member, piece by piece; the inflating is pako's. */
import { Inflate } from 'pako';
import type { Decompressor } from './decompress.js';
import { SourceInput, WINDOW } from '../init/initramfs/input.js';

/** Header of a member (RFC 1952, 2.3), and the trailer that the kernel skips without a look. */
const HEADER = 10;
const TRAILER = 8;
const CM_DEFLATE = 8;
/** Of FLG the kernel knows the file name alone. */
const FNAME = 0x08;
/** Bytes that the kernel's decompressor gives at once. */
const OUT_LEN = 0x8000;
const Z_SYNC_FLUSH = 2;

/** Thrown by the taker of bytes that wants no more. */
class Stopped extends Error {}

/** pako's inflater, which gives its output on as it comes. */
class Flushing extends Inflate {
  constructor(private readonly flush: (bytes: Uint8Array) => boolean) {
    super({ raw: true, chunkSize: OUT_LEN });
  }

  /** How much of the input is left; the library has it in its stream's state only, and a test compares it. */
  get left(): number {
    return this.stream.avail_in;
  }

  override onData(chunk: Uint8Array): void {
    if (!this.flush(chunk)) throw new Stopped();
  }

  /** What came before data that is wrong is given too. */
  override onEnd(status: number): void {
    const { output, next_out } = this.stream;
    if (status !== 0 && next_out > 0) this.onData(output.subarray(0, next_out));
  }

  private get stream(): { avail_in: number; next_out: number; output: Uint8Array } {
    return this['strm'] as { avail_in: number; next_out: number; output: Uint8Array };
  }
}

/** __gunzip(): CRC32 and size are not compared. */
export const gunzip: Decompressor = (source, flush, error) => {
  const input = new SourceInput(source);
  const header = input.peek(HEADER);
  const ok = header[0] === 0x1f && header[1] === 0x8b && header[2] === CM_DEFLATE;
  if (header.length < HEADER || !ok) {
    error('Not a gzip file');
    return { ok: false, used: 0 };
  }
  input.eat(HEADER);
  if (((header[3] ?? 0) & FNAME) !== 0 && !skipName(input)) {
    error('header error');
    return { ok: false, used: 0 };
  }
  const inflate = new Flushing(flush);
  try {
    while (!inflate.ended) {
      if (input.left === 0) {
        error('read error');
        return { ok: false, used: input.offset + TRAILER };
      }
      const piece = input.some(WINDOW);
      inflate.push(piece, piece.length === input.left ? Z_SYNC_FLUSH : 0);
      input.eat(piece.length - inflate.left);
    }
  } catch (stopped) {
    if (!(stopped instanceof Stopped)) throw stopped;
    error('write error');
    return { ok: false, used: input.offset + TRAILER };
  }
  if (inflate.err !== 0) error('uncompression error');
  return { ok: inflate.err === 0, used: input.offset + TRAILER };
};

/** Skips a file name with its NUL; false where there is no NUL. */
function skipName(input: SourceInput): boolean {
  while (input.left > 0) {
    const piece = input.some(WINDOW);
    const nul = piece.indexOf(0);
    input.eat(nul < 0 ? piece.length : nul + 1);
    if (nul >= 0) return true;
  }
  return false;
}
