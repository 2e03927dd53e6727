import { beforeEach, describe, expect, test } from '@jest/globals';
import { alignDown, PAGE_SIZE, va, type Va } from '../../../src/machine/address.js';
import { EADDRNOTAVAIL, EINVAL } from '../../../src/linux/include/uapi/asm-generic/errno-base.js';
import {
  IND_DESTINATION,
  IND_DONE,
  IND_INDIRECTION,
  IND_SOURCE,
  KEXEC_SEGMENT_MAX,
  type KexecSource,
  type Kimage,
} from '../../../src/linux/include/linux/kexec.js';
import { GFP } from '../../../src/linux/mm/page_alloc/page_alloc.js';
import { BootCheckpoint } from '../../kernel/at-label.js';

const MIB = 2 ** 20;
const checkpoint = new BootCheckpoint('run_init');
const { k } = checkpoint;

const segment = (mem: number, pages: number, seed = 1): KexecSource => ({
  mem,
  memsz: pages * PAGE_SIZE,
  buf: Uint8Array.from({ length: pages * PAGE_SIZE - 100 }, (_, i) => (i * seed + seed) & 0xff),
});
/** Physical address of the page that the allocator returns next; the pages after it are returned after it. */
function nextPage(): number {
  const page = k.fn.alloc_pages(GFP.KERNEL, 0);
  k.fn.free_pages(k.__va(page), 0);
  return page;
}
function image(): Kimage {
  const loaded = k.state.kexecImage;
  if (loaded === null) throw new Error('nothing was loaded');
  return loaded;
}

/** Source page by destination page, from the list as relocate_kernel reads it. */
function sources(): Map<number, number> {
  const found = new Map<number, number>();
  let entry = image().head;
  let at = va(0);
  let destination = 0;
  while ((entry & IND_DONE) === 0) {
    const page = alignDown(entry, PAGE_SIZE);
    if ((entry & IND_DESTINATION) !== 0) destination = page;
    else if ((entry & IND_INDIRECTION) !== 0) at = k.__va(page);
    else if ((entry & IND_SOURCE) !== 0) {
      found.set(destination, page);
      destination += PAGE_SIZE;
    }
    entry = Number(k.readU64(at));
    at = va(at + 8);
  }
  return found;
}
const bytesOf = (page: number): Uint8Array => k.readBytes(k.__va(page), PAGE_SIZE);

beforeEach(() => {
  checkpoint.restore();
});

describe('sys_kexec_load', () => {
  test('gives every destination page a source page with its bytes and zeros after the buffer', () => {
    const one = segment(16 * MIB, 700, 3);
    const two = segment(40 * MIB, 2, 7);
    expect(k.fn.sys_kexec_load(0x1234, [one, two])).toBe(0);
    const list = sources();
    expect(list.size).toBe(702);
    for (const { mem, memsz, buf } of [one, two]) {
      for (const page of [0, 1, memsz / PAGE_SIZE - 1]) {
        const expected = new Uint8Array(PAGE_SIZE);
        expected.set(buf.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE));
        expect(bytesOf(list.get(mem + page * PAGE_SIZE) ?? 0)).toEqual(expected);
      }
    }
    expect(image().start).toBe(0x1234);
  });

  test('uses no source page that is another page’s destination, although the allocator returns such pages', () => {
    const pages = 8;
    const one = segment(nextPage(), pages, 5);
    expect(k.fn.sys_kexec_load(0, [one])).toBe(0);
    const list = sources();
    for (const [destination, source] of list) {
      const inside = source >= one.mem && source < one.mem + one.memsz;
      expect(inside ? source : destination).toBe(destination);
    }
    const expected = one.buf.slice(PAGE_SIZE, 2 * PAGE_SIZE);
    expect(bytesOf(list.get(one.mem + PAGE_SIZE) ?? 0)).toEqual(expected);
  });

  test('allocates control pages outside all destinations', () => {
    const one = segment(nextPage(), 16);
    k.fn.sys_kexec_load(0, [one]);
    const { controlCodePage, swapPage } = image();
    for (const page of [controlCodePage, controlCodePage + PAGE_SIZE, swapPage]) {
      expect(page < one.mem || page >= one.mem + one.memsz).toBe(true);
    }
    expect(controlCodePage % (2 * PAGE_SIZE)).toBe(0);
  });

  test('rejects segments that are unaligned, overlap, exceed memsz or are too many', () => {
    const good = segment(16 * MIB, 2);
    const load = (...list: KexecSource[]): number => k.fn.sys_kexec_load(0, list);
    expect(load({ ...good, mem: good.mem + 1 })).toBe(-EADDRNOTAVAIL);
    expect(load({ ...good, memsz: good.memsz - 1 })).toBe(-EADDRNOTAVAIL);
    expect(load({ ...good, mem: 2 ** 46 })).toBe(-EADDRNOTAVAIL);
    expect(load(good, segment(good.mem + PAGE_SIZE, 1))).toBe(-EINVAL);
    expect(load(good, segment(good.mem + 2 * PAGE_SIZE, 1))).toBe(0);
    expect(load({ ...good, memsz: PAGE_SIZE })).toBe(-EINVAL);
    const many = Array.from({ length: KEXEC_SEGMENT_MAX + 1 }, (_, i) =>
      segment(16 * MIB + i * PAGE_SIZE, 1),
    );
    expect(load(...many)).toBe(-EINVAL);
    expect(load(...many.slice(1))).toBe(0);
  });
});

describe('init_pgtable', () => {
  const walk = (pgd: Va, address: number): { pa: number; c: number } | undefined => {
    const found = k.fn.lookup_address_in_pgd(pgd, address);
    if (found === undefined) return undefined;
    const size = found.level === 1 ? PAGE_SIZE : 2 * MIB;
    const entry = k.readU64(va(found.table + found.index * 8));
    const { pa, c } = k.cpu.decodeEntry(entry, size);
    return { pa: pa + (address - Math.floor(address / size) * size), c };
  };

  test('maps RAM at its physical addresses with the C-bit, from the first byte to the last', () => {
    k.fn.sys_kexec_load(0, [segment(16 * MIB, 1)]);
    const pgd = k.__va(image().controlCodePage);
    for (const address of [0, 2 * MIB - 1, 2 * MIB, 16 * MIB, 256 * MIB - 1]) {
      expect(walk(pgd, address)).toEqual({ pa: address, c: 1 });
    }
    expect(walk(pgd, 256 * MIB)).toBeUndefined();
  });

  test('maps a range beyond RAM and across a PGD entry’s boundary', () => {
    const pgd = k.fn.get_zeroed_page(0);
    if (pgd === 0) throw new Error('no memory');
    const info = { alloc_pgt_page: () => k.fn.get_zeroed_page(0), pmd_flag: 0x183n };
    const start = 2 ** 39 - PAGE_SIZE;
    expect(k.fn.kernel_ident_mapping_init(info, pgd, start, 2 ** 39 + 1)).toBe(0);
    expect(walk(pgd, 2 ** 39 - 1)?.pa).toBe(2 ** 39 - 1);
    expect(walk(pgd, 2 ** 39)?.pa).toBe(2 ** 39);
    expect(walk(pgd, 2 ** 39 - 2 * MIB - 1)).toBeUndefined();
    expect(walk(pgd, 2 ** 39 + 2 * MIB)).toBeUndefined();
  });

  test('maps the control page’s copy of relocate_kernel at the linked address', () => {
    k.fn.sys_kexec_load(0, [segment(16 * MIB, 1)]);
    const { controlCodePage } = image();
    const at = k.sym('relocate_kernel');
    expect(at % PAGE_SIZE === 0).toBe(true);
    expect(walk(k.__va(controlCodePage), at)).toEqual({ pa: controlCodePage + PAGE_SIZE, c: 1 });
  });
});
