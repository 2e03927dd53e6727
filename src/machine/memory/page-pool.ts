/**
 * Allocates the bytes of DRAM pages and the state of their lines. Pages whose lines all have the same state share it:
 * most pages that are written whole do. The rest is allocated in blocks: a single allocation costs more than a fill.
 */
import { PAGE_SIZE } from '../address.js';
import { LINES, UNTOUCHED, type Lines, type Page } from './dram-page.js';

/** Pages that are allocated together: enough to make the allocator's overhead per block negligible. */
const BLOCK_PAGES = 128;
const BYTES = LINES * 2;

export class PagePool {
  private readonly shared = new Map<number, Lines>();
  private readonly spare: Lines[] = [];
  /** Pages still unused in `block`. */
  private unused = 0;
  private block = new ArrayBuffer(0);

  /** Bytes for a page, all zero. */
  bytes(): Uint8Array {
    if (this.unused === 0) {
      this.unused = BLOCK_PAGES;
      this.block = new ArrayBuffer(BLOCK_PAGES * PAGE_SIZE);
    }
    return new Uint8Array(this.block, --this.unused * PAGE_SIZE, PAGE_SIZE);
  }

  /** An untouched page. */
  blank(): Page {
    return { bytes: this.bytes(), ...this.sharedPage(0, UNTOUCHED, 0), sameContents: true };
  }

  copyOf({ bytes, pending, owner, writer, sameContents }: Page): Page {
    const copy: Page = { bytes: this.bytes(), pending, owner, writer, sameContents: true };
    copy.bytes.set(bytes);
    if (!sameContents) this.own(copy);
    return copy;
  }

  /** The shared state of lines that are all pending under one key and last written under one key by one origin. */
  sharedPage(pending: number, owner: number, writer: number): Lines {
    const id = (writer * 2 ** 16 + owner) * 2 ** 16 + pending;
    let lines = this.shared.get(id);
    if (lines === undefined) {
      lines = {
        pending: new Uint16Array(LINES).fill(pending),
        owner: new Uint16Array(LINES).fill(owner),
        writer: new Uint16Array(LINES).fill(writer),
      };
      this.shared.set(id, lines);
    }
    return lines;
  }

  /** Gives a page the shared state of {@link sharedPage}. The page itself is in no snapshot. */
  share(page: Page, lines: Lines): void {
    const { pending, owner, writer } = page;
    if (!page.sameContents) this.spare.push({ pending, owner, writer });
    Object.assign(page, lines);
    page.sameContents = true;
  }

  /** Gives a page its own copy of the state of its lines, which may change. */
  own(page: Page): void {
    if (!page.sameContents) return;
    const lines = this.blankLines();
    lines.pending.set(page.pending);
    lines.owner.set(page.owner);
    lines.writer.set(page.writer);
    Object.assign(page, lines);
    page.sameContents = false;
  }

  /** Shares the state of a page's lines if it is the same for all of them. The page itself is in no snapshot. */
  compact(page: Page): void {
    if (page.sameContents) return;
    const [pending = 0, owner = 0, writer = 0] = [page.pending[0], page.owner[0], page.writer[0]];
    for (let line = 1; line < LINES; line++) {
      if (page.owner[line] !== owner || page.pending[line] !== pending) return;
      if (page.writer[line] !== writer) return;
    }
    this.share(page, this.sharedPage(pending, owner, writer));
  }

  private blankLines(): Lines {
    if (this.spare.length === 0) {
      const block = new ArrayBuffer(3 * BYTES * BLOCK_PAGES);
      for (let at = 0; at < block.byteLength; at += 3 * BYTES) {
        this.spare.push({
          pending: new Uint16Array(block, at, LINES),
          owner: new Uint16Array(block, at + BYTES, LINES),
          writer: new Uint16Array(block, at + 2 * BYTES, LINES),
        });
      }
    }
    const lines = this.spare.pop();
    if (lines === undefined) throw new RangeError('no lines for a page');
    return lines;
  }
}
