/** include/linux/kexec.h: the image of the next kernel. */

/** struct kexec_segment: the destination [mem, mem + memsz) of a buffer; bytes after the buffer's end are zero. */
export interface KexecSegment {
  /** Physical address. */
  readonly mem: number;
  readonly memsz: number;
}

/** A segment as kexec_load() gets it, with the user's buffer. */
export interface KexecSource extends KexecSegment {
  readonly buf: Uint8Array;
}

/** Position of the next list entry: a page and an index in it; page 0 is the head itself. */
export interface EntryPointer {
  page: number;
  index: number;
}

/** struct kimage, as plain data. The list that starts at `head` is in simulated memory. */
export interface Kimage {
  /** Physical address of the entry point. */
  readonly start: number;
  readonly segments: readonly KexecSegment[];
  head: number;
  entry: EntryPointer;
  lastEntry: EntryPointer;
  /** Physical addresses. */
  controlCodePage: number;
  swapPage: number;
  /** Allocated pages that are destinations, reserved until their contents are loaded. */
  destPages: number[];
}

/** Flags of list entries (kimage_entry_t). */
export const IND_DESTINATION = 0x1;
export const IND_INDIRECTION = 0x2;
export const IND_DONE = 0x4;
export const IND_SOURCE = 0x8;
/** KIMAGE_NO_DEST: a page without a destination. */
export const KIMAGE_NO_DEST = -1;
/** KEXEC_SEGMENT_MAX. */
export const KEXEC_SEGMENT_MAX = 16;

/** arch/x86/include/asm/kexec.h: indices into page_list, and the offset of relocate_kernel's data in its page. */
export const PA_CONTROL_PAGE = 0;
export const VA_CONTROL_PAGE = 1;
export const PA_TABLE_PAGE = 2;
export const PA_SWAP_PAGE = 3;
export const PAGES_NR = 4;
export const KEXEC_CONTROL_CODE_MAX_SIZE = 2048;
