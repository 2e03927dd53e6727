/** The unpackers' input: the initrd in simulated memory, read in windows, so that the host holds no second copy. */
import type { ByteSource } from '../../../base/byte-source.js';
import { PEEK_MAX, type Input } from './cpio-fsm.js';

/** The initrd, or a part of it. */
export type InitrdSource = Pick<ByteSource, 'length' | 'read'>;

/** Size of a window in bytes (our choice: the kernel's unpackers walk through memory byte by byte). */
export const WINDOW = 1 << 16;

/** Input from a source, from offset `at` on. */
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
    this.fill(Math.min(count, PEEK_MAX));
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

  /** Reads a new window unless the current one has the next `count` bytes, or all that are left. */
  private fill(count: number): void {
    const needed = Math.min(count, this.left);
    const end = this.windowAt + this.window.length;
    if (this.at >= this.windowAt && this.at + needed <= end) return;
    this.window = this.source.read(this.at, Math.min(WINDOW, this.left));
    this.windowAt = this.at;
  }
}
