/** The initrd as its unpackers read it: from memory, window by window, so that it is never all in memory twice. */
import type { ByteSource } from '../../../base/byte-source.js';
import { PIECE, type Input } from './cpio-fsm.js';

/** The initrd, or a part of it. */
export type InitrdSource = Pick<ByteSource, 'length' | 'read'>;

/** Bytes that are read at once (our choice: the kernel's unpackers walk through memory byte by byte). */
export const WINDOW = 1 << 16;

/** A source from an offset on. */
export class SourceInput implements Input {
  private window: Uint8Array = new Uint8Array(0);
  private windowAt = 0;

  constructor(
    private readonly source: InitrdSource,
    private at = 0,
  ) {
    this.windowAt = at;
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.at;
  }
  get left(): number {
    return Math.max(0, this.source.length - this.at);
  }
  peek(count: number): Uint8Array {
    this.fill(Math.min(count, PIECE));
    const from = this.at - this.windowAt;
    return this.window.subarray(from, from + count);
  }
  some(most: number): Uint8Array {
    this.fill(1);
    const from = this.at - this.windowAt;
    return this.window.subarray(from, from + most);
  }
  eat(count: number): void {
    this.at += count;
  }

  /** Makes sure that some of the next bytes are in the window, as far as there are any. */
  private fill(count: number): void {
    const needed = Math.min(count, this.left);
    const end = this.windowAt + this.window.length;
    if (this.at >= this.windowAt && this.at + needed <= end) return;
    this.window = this.source.read(this.at, Math.min(WINDOW, this.left));
    this.windowAt = this.at;
  }
}
