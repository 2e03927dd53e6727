/**
 * kernel/kexec_core.c: an image is loaded page by page into pages outside all destinations, with
 * a list of each page's destination. Images for a crash and jumps back (KEXEC_TYPE_CRASH, preserve_context) are not
 * modelled. Device shutdown, stop_other_cpus() and the IOMMU's shutdown have no counterpart here (our choice).
 */
import { alignDown, hex, PAGE_SIZE, va, type Va } from '../../machine/address.js';
import { MAXMEM } from '../../kernel/constants.js';
import { EADDRNOTAVAIL, EINVAL, ENOMEM } from '../include/uapi/asm-generic/errno-base.js';
import {
  IND_DESTINATION,
  IND_DONE,
  IND_INDIRECTION,
  IND_SOURCE,
  KIMAGE_NO_DEST,
  type KexecSegment,
  type KexecSource,
  type Kimage,
} from '../include/linux/kexec.js';
import { GFP } from '../mm/page_alloc/page_alloc.js';
import { cBit, type AccessRun } from '../../kernel/access-log.js';
import { stateSlice } from '../../kernel/state.js';
import { fn, inline, bodies, label } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** Enters the loaded image; returns if there is none. */
    kernel_kexec(k: Kernel): void;
    sanity_check_segment_list(k: Kernel, segments: readonly KexecSource[]): number;
    /** Physical address of 2^order pages for the image, or 0. */
    kimage_alloc_pages(k: Kernel, order: number): number;
    kimage_free_pages(k: Kernel, page: number, order: number): void;
    /** Physical address of 2^order pages outside all destinations, or 0. */
    kimage_alloc_control_pages(k: Kernel, image: Kimage, order: number): number;
    kimage_load_normal_segment(k: Kernel, image: Kimage, segment: KexecSource): number;
  }
}

declare module '../../kernel/state.js' {
  interface KernelState {
    /** kexec_image: the image that kexec_load() loaded; null if none. */
    kexecImage: Kimage | null;
  }
}
export const kexecState = stateSlice(() => ({ kexecImage: null }));

const ENTRIES_PER_PAGE = PAGE_SIZE / 8;
const FLAG_BITS = PAGE_SIZE - 1;

function isDestination(segments: readonly KexecSegment[], start: number, end: number): boolean {
  return segments.some(({ mem, memsz }) => end > mem && start < mem + memsz);
}

/** Direct-map address of a list entry; undefined for the head, which is in struct kimage. */
const entryAddress = (k: Kernel, page: number, index: number): Va | undefined =>
  page === 0 ? undefined : va(k.__va(page) + index * 8);

export function readEntry(k: Kernel, image: Kimage, page: number, index: number): number {
  const at = entryAddress(k, page, index);
  return at === undefined ? image.head : Number(k.readU64(at));
}
export function writeEntry(
  k: Kernel,
  image: Kimage,
  page: number,
  index: number,
  value: number,
): void {
  const at = entryAddress(k, page, index);
  if (at === undefined) image.head = value;
  else k.writeU64(at, BigInt(value));
}

/** kimage_add_entry(): 0 or a negative errno. */
function addEntry(k: Kernel, image: Kimage, value: number): number {
  const { entry, lastEntry } = image;
  if (readEntry(k, image, entry.page, entry.index) !== 0) entry.index++;
  if (entry.page === lastEntry.page && entry.index === lastEntry.index) {
    const page = allocPage(k, image, KIMAGE_NO_DEST);
    if (page === 0) return -ENOMEM;
    // virt_to_phys(): the list holds physical addresses without the mask.
    writeEntry(k, image, entry.page, entry.index, page + IND_INDIRECTION);
    image.entry = { page, index: 0 };
    image.lastEntry = { page, index: ENTRIES_PER_PAGE - 1 };
  }
  writeEntry(k, image, image.entry.page, image.entry.index, value);
  image.entry.index++;
  writeEntry(k, image, image.entry.page, image.entry.index, 0);
  return 0;
}

/** kimage_dst_used(): the list entry of the source page for the page `target`; undefined if there is none. */
function sourceEntryOf(
  k: Kernel,
  image: Kimage,
  target: number,
): { page: number; index: number; value: number } | undefined {
  let destination = 0;
  let page = 0;
  let index = 0;
  for (;;) {
    const value = readEntry(k, image, page, index);
    if (value === 0 || (value & IND_DONE) !== 0) return undefined;
    if ((value & IND_DESTINATION) !== 0) destination = alignDown(value, PAGE_SIZE);
    else if ((value & IND_SOURCE) !== 0) {
      if (destination === target) return { page, index, value };
      destination += PAGE_SIZE;
    }
    if ((value & IND_INDIRECTION) !== 0) {
      page = alignDown(value, PAGE_SIZE);
      index = 0;
    } else index++;
  }
}

/** kimage_alloc_page(): address of a page that is `destination` itself or no destination; 0 without memory. */
function allocPage(k: Kernel, image: Kimage, destination: number): number {
  const index = image.destPages.indexOf(destination);
  if (index >= 0) return image.destPages.splice(index, 1)[0] ?? 0;
  for (;;) {
    const page = k.fn.kimage_alloc_pages(0);
    if (page === 0 || page === destination) return page;
    if (!isDestination(image.segments, page, page + PAGE_SIZE)) return page;
    const entry = sourceEntryOf(k, image, page);
    if (entry !== undefined) {
      // The page is a destination: its contents are moved here, and their former source page is free.
      const source = alignDown(entry.value, PAGE_SIZE);
      k.writeBytes(k.__va(page), k.readBytes(k.__va(source), PAGE_SIZE));
      writeEntry(k, image, entry.page, entry.index, page + (entry.value & FLAG_BITS));
      return source;
    }
    image.destPages.push(page);
  }
}

export const kexecCore = bodies({
  sanity_check_segment_list: inline((_k: Kernel, segments: readonly KexecSource[]) => {
    const ends = segments.map(({ mem, memsz }) => mem + memsz);
    const unusable = segments.some(
      ({ mem }, i) =>
        mem % PAGE_SIZE !== 0 || (ends[i] ?? 0) % PAGE_SIZE !== 0 || (ends[i] ?? 0) >= MAXMEM - 1,
    );
    if (unusable) return -EADDRNOTAVAIL;
    const overlap = segments.some(({ mem }, i) =>
      isDestination(segments.slice(0, i), mem, ends[i] ?? mem),
    );
    return overlap || segments.some(({ buf, memsz }) => buf.length > memsz) ? -EINVAL : 0;
  }),

  kimage_alloc_pages: inline((k: Kernel, order: number) => k.fn.alloc_pages(GFP.KERNEL, order)),
  kimage_free_pages: inline((k: Kernel, page: number, order: number) => {
    k.fn.free_pages(k.__va(page), order);
  }),

  kimage_alloc_control_pages: inline((k: Kernel, image: Kimage, order: number) => {
    const size = PAGE_SIZE * 2 ** order;
    const extra: number[] = [];
    let page = k.fn.kimage_alloc_pages(order);
    while (page !== 0 && isDestination(image.segments, page, page + size)) {
      extra.push(page);
      page = k.fn.kimage_alloc_pages(order);
    }
    for (const each of extra) k.fn.kimage_free_pages(each, order);
    return page;
  }),

  kimage_load_normal_segment: fn((k: Kernel, image: Kimage, segment: KexecSource) => {
    const { mem, memsz, buf } = segment;
    let error = addEntry(k, image, mem + IND_DESTINATION);
    let written: AccessRun | undefined;
    for (let done = 0; done < memsz && error === 0; done += PAGE_SIZE) {
      const page = allocPage(k, image, mem + done);
      if (page === 0) return -ENOMEM;
      error = addEntry(k, image, page + IND_SOURCE);
      // clear_page() and copy_from_user() in one.
      const bytes = new Uint8Array(PAGE_SIZE);
      bytes.set(buf.subarray(done, done + PAGE_SIZE));
      const to = k.__va(page);
      const runs = k.trace.writing(to, PAGE_SIZE, () => {
        k.writeBytes(to, bytes);
      });
      written = runs.at(-1) ?? written;
    }
    k.trace.emit('copy', {
      from: `segment ${hex(mem)}`,
      to: `${String(memsz / PAGE_SIZE)} source pages`,
      toC: written === undefined ? undefined : cBit(written),
    });
    return error;
  }),

  kernel_kexec: label((k: Kernel) => {
    const image = k.state.kexecImage;
    if (image === null) return;
    k.fn.printk('Starting new kernel');
    k.fn.machine_kexec(image);
  }),
});
