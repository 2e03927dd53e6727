/** kernel/kexec.c: the system call that loads an image. */
import { EINVAL, ENOMEM } from '../include/uapi/asm-generic/errno-base.js';
import {
  IND_DONE,
  KEXEC_SEGMENT_MAX,
  type KexecSource,
  type Kimage,
} from '../include/linux/kexec.js';
import { fn, bodies } from '../../kernel/table.js';
import type { Kernel } from '../../kernel/kernel.js';
import { readEntry, writeEntry } from './kexec_core.js';

declare module '../../kernel/table.js' {
  interface Entries {
    /** The system call: 0 or a negative errno. The user's buffers are not in simulated memory (our choice). */
    sys_kexec_load(k: Kernel, entry: number, segments: readonly KexecSource[]): number;
  }
}

export const kexec = bodies({
  sys_kexec_load: fn((k: Kernel, entry: number, sources: readonly KexecSource[]) => {
    if (sources.length > KEXEC_SEGMENT_MAX) return -EINVAL;
    const insane = k.fn.sanity_check_segment_list(sources);
    if (insane !== 0) return insane;
    const image: Kimage = {
      start: entry,
      segments: sources.map(({ mem, memsz }) => ({ mem, memsz })),
      head: 0,
      entry: { page: 0, index: 0 },
      lastEntry: { page: 0, index: 0 },
      controlCodePage: 0,
      swapPage: 0,
      destPages: [],
    };
    image.controlCodePage = k.fn.kimage_alloc_control_pages(image, 1);
    image.swapPage = k.fn.kimage_alloc_control_pages(image, 0);
    if (image.controlCodePage === 0 || image.swapPage === 0) return -ENOMEM;
    let error = k.fn.machine_kexec_prepare(image);
    for (const segment of sources) {
      if (error === 0) error = k.fn.kimage_load_normal_segment(image, segment);
    }
    if (error !== 0) return error;
    // kimage_terminate()
    if (readEntry(k, image, image.entry.page, image.entry.index) !== 0) image.entry.index++;
    writeEntry(k, image, image.entry.page, image.entry.index, IND_DONE);
    k.state.kexecImage = image;
    return 0;
  }),
});
