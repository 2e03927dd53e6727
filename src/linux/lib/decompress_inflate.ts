/** lib/decompress_inflate.c: decompresses a gzip member chunk by chunk, with pako. */
import { Inflate } from 'pako';
import type { Decompressor } from './decompress.js';
import { SourceInput, WINDOW } from '../init/initramfs/input.js';

/** Sizes in bytes of a member's header (RFC 1952, 2.3), and of the trailer, which the kernel skips unread. */
const HEADER = 10;
const TRAILER = 8;
const CM_DEFLATE = 8;
/** The only bit of FLG that the kernel handles: a file name follows the header. */
const FNAME = 0x08;
/** Size in bytes of the kernel decompressor's output chunks. */
const OUT_LEN = 0x8000;
const Z_SYNC_FLUSH = 2;

/** Thrown when flush() returns false. */
class Stopped extends Error {}

/** pako's Inflate, with each output chunk passed to flush(). */
class Flushing extends Inflate {
  constructor(private readonly flush: (bytes: Uint8Array) => boolean) {
    super({ raw: true, chunkSize: OUT_LEN });
  }

  /** Bytes of pushed input not consumed yet; pako has it only in its private stream state, and a test checks it. */
  get left(): number {
    return this.stream.avail_in;
  }

  override onData(chunk: Uint8Array): void {
    if (!this.flush(chunk)) throw new Stopped();
  }

  /** Output produced before corrupt data is passed on too. */
  override onEnd(status: number): void {
    const { output, next_out } = this.stream;
    if (status !== 0 && next_out > 0) this.onData(output.subarray(0, next_out));
  }

  private get stream(): { avail_in: number; next_out: number; output: Uint8Array } {
    return this['strm'] as { avail_in: number; next_out: number; output: Uint8Array };
  }
}

/** __gunzip(): CRC32 and size are not checked. */
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
      const chunk = input.some(WINDOW);
      inflate.push(chunk, chunk.length === input.left ? Z_SYNC_FLUSH : 0);
      input.eat(chunk.length - inflate.left);
    }
  } catch (stopped) {
    if (!(stopped instanceof Stopped)) throw stopped;
    error('write error');
    return { ok: false, used: input.offset + TRAILER };
  }
  if (inflate.err !== 0) error('uncompression error');
  return { ok: inflate.err === 0, used: input.offset + TRAILER };
};

/** Skips a file name with its NUL; false if there is no NUL. */
function skipName(input: SourceInput): boolean {
  while (input.left > 0) {
    const chunk = input.some(WINDOW);
    const nul = chunk.indexOf(0);
    input.eat(nul < 0 ? chunk.length : nul + 1);
    if (nul >= 0) return true;
  }
  return false;
}
