/**
 * mm/filemap.c, as used by writes to the root file system: a file's pages are allocated one by one and written through
 * the direct map, with the attributes of that mapping.
 */
import { PAGE_SIZE, va } from '../../machine/address.js';
import { GFP } from './page_alloc/page_alloc.js';
import type { Inode, PageRun } from '../include/linux/fs.js';
import type { PageCache } from '../fs/ramfs.js';
import type { Kernel } from '../../kernel/kernel.js';

/** Number of bytes that the first process reads from each of its pages. */
export const TOUCHED = 256;

/** Name of a file's first bytes in the integrity record, until the file is run. */
export const headOf = (ino: number): string => `file ${String(ino)}`;

/** Physical address of page `index` of a file; undefined for a hole. */
export function pageOf({ pages }: Inode, index: number): number | undefined {
  let low = 0;
  let high = pages.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const run = pages[middle];
    if (run === undefined || index < run.index) high = middle - 1;
    else if (index >= run.index + run.count) low = middle + 1;
    else return run.pa + (index - run.index) * PAGE_SIZE;
  }
  return undefined;
}

/** Appends a page to a file's runs; unpacking writes a file from its start to its end. */
function addPage(pages: PageRun[], index: number, pa: number): void {
  const last = pages.at(-1);
  const next = last?.index === undefined ? -1 : last.index + last.count;
  if (last !== undefined && index === next && pa === last.pa + last.count * PAGE_SIZE) {
    last.count++;
  } else pages.push({ index, pa, count: 1 });
}

/** The page cache of a kernel's root file system. */
export function pageCache(k: Kernel): PageCache {
  const heads = new Map<number, Uint8Array>();
  /** Records a file's first bytes, in case it is run; also of a file without an x bit (kernel_init:incomplete). */
  const produced = (ino: number, pos: number, bytes: Uint8Array): void => {
    if (pos >= TOUCHED) return;
    const head = heads.get(ino) ?? new Uint8Array(TOUCHED);
    head.set(bytes.subarray(0, TOUCHED - pos), pos);
    heads.set(ino, head);
    k.trace.recorder.produced(headOf(ino), head);
  };

  /** Allocates a file's page; 0 at the file system's limit (shmem_getpage_gfp). Panics if no memory is free. */
  const newPage = (): number => {
    const { rootfs } = k.state;
    if (rootfs.blocks >= rootfs.maxBlocks) return 0;
    const page = k.fn.alloc_pages(GFP.KERNEL, 0);
    if (page === 0) return k.fn.panic('Out of memory and no killable processes...');
    rootfs.blocks++;
    return page;
  };

  const write: PageCache['write'] = (ino, inode, pos, bytes) => {
    produced(ino, pos, bytes);
    for (let done = 0; done < bytes.length;) {
      const at = pos + done;
      const inPage = at % PAGE_SIZE;
      const count = Math.min(PAGE_SIZE - inPage, bytes.length - done);
      const index = (at - inPage) / PAGE_SIZE;
      const part = bytes.subarray(done, done + count);
      const existing = pageOf(inode, index);
      const page = existing ?? newPage();
      if (page === 0) return done;
      if (existing === undefined) addPage(inode.pages, index, page);
      if (existing !== undefined || count === PAGE_SIZE)
        k.writeBytes(va(k.__va(page) + inPage), part);
      else {
        // simple_write_begin(): the rest of a new page is zeroed.
        const whole = new Uint8Array(PAGE_SIZE);
        whole.set(part, inPage);
        k.writeBytes(k.__va(page), whole);
      }
      done += count;
    }
    return bytes.length;
  };

  const free: PageCache['free'] = (inode) => {
    for (const { pa, count } of inode.pages) {
      for (let page = 0; page < count; page++) k.fn.free_pages(k.__va(pa + page * PAGE_SIZE), 0);
      k.state.rootfs.blocks -= count;
    }
  };

  return { write, free };
}

/** kernel_read(): `length` bytes of a file from offset `pos`, through the direct map; fewer at the file's end. */
export function readFile(k: Kernel, inode: Inode, pos: number, length: number): Uint8Array {
  const out = new Uint8Array(Math.max(0, Math.min(length, inode.size - pos)));
  for (let done = 0; done < out.length;) {
    const at = pos + done;
    const inPage = at % PAGE_SIZE;
    const count = Math.min(PAGE_SIZE - inPage, out.length - done);
    const page = pageOf(inode, (at - inPage) / PAGE_SIZE);
    // A hole reads as zeros (mm/filemap.c).
    if (page !== undefined) out.set(k.readBytes(va(k.__va(page) + inPage), count), done);
    done += count;
  }
  return out;
}
