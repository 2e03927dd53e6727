import { beforeEach, describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN, pa, PAGE_SIZE, va, type Va } from '../../src/machine/address.js';
import { PAGE_OFFSET } from '../../src/kernel/constants.js';
import { EINVAL } from '../../src/linux/include/uapi/asm-generic/errno-base.js';
import { PG_LEVEL_2M, PG_LEVEL_4K } from '../../src/linux/arch/x86/mm/pageattr/types.js';
import { exhaustiveTest } from '../cases.js';
import { patched, scenario } from '../helpers.js';
import { BootCheckpoint } from '../kernel/at-label.js';

const MIB = 2 ** 20;
const checkpoint = new BootCheckpoint('drivers');
const k = patched(checkpoint.k);
const { machine } = checkpoint.boot;

/** An unused 2 MiB page of the direct map. */
const PMD = va(PAGE_OFFSET + 80 * MIB);
const page = (n: number): Va => va(PMD + n * PAGE_SIZE);
const physical = (at: Va): number => at - PAGE_OFFSET;
const c = (n: number): number => checkpoint.mapped(page(n)).c;
const text = Uint8Array.from({ length: PAGE_SIZE }, (_, i) => (i * 7) & 0xff);

/** A page of DRAM, decrypted with a key. */
function dram(at: Va, key = KEY_PLAIN, from = machine): Uint8Array {
  const bytes = new Uint8Array(PAGE_SIZE);
  from.dram.read(pa(physical(at)), key, bytes, 0, PAGE_SIZE);
  return bytes;
}

beforeEach(() => {
  checkpoint.restore();
});

describe('sme_set_mem_dec and sme_set_mem_enc', () => {
  test('the C-bit is cleared and set for the requested pages only', () => {
    expect(k.fn.sme_set_mem_dec(page(5), 3 * PAGE_SIZE)).toBe(0);
    expect([4, 5, 6, 7, 8].map(c)).toEqual([1, 0, 0, 0, 1]);
    expect(k.fn.sme_set_mem_enc(page(6), PAGE_SIZE)).toBe(0);
    expect([4, 5, 6, 7, 8].map(c)).toEqual([1, 0, 1, 0, 1]);
  });

  test('a whole 2 MiB page changes in one entry, one page less splits it', () => {
    k.fn.sme_set_mem_dec(page(0), 2 * MIB);
    expect([-1, 0, 511, 512].map(c)).toEqual([1, 0, 0, 1]);
    expect(checkpoint.level(page(0))).toBe(PG_LEVEL_2M);
    k.fn.sme_set_mem_enc(page(0), 2 * MIB - PAGE_SIZE);
    expect([-1, 0, 510, 511, 512].map(c)).toEqual([1, 1, 1, 0, 1]);
    expect(checkpoint.level(page(0))).toBe(PG_LEVEL_4K);
  });

  test('nothing but the C-bit changes', () => {
    const before = checkpoint.mapped(page(5));
    k.fn.sme_set_mem_dec(page(5), PAGE_SIZE);
    expect(checkpoint.mapped(page(5))).toEqual({ ...before, c: 0 });
    k.fn.sme_set_mem_enc(page(5), PAGE_SIZE);
    expect(checkpoint.mapped(page(5))).toEqual(before);
  });

  test('memory contents do not change: ciphertext is read in between', () => {
    k.writeBytes(page(5), text);
    machine.cpus[0].wbinvd();
    k.fn.sme_set_mem_dec(page(5), PAGE_SIZE);
    expect(k.readBytes(page(5), PAGE_SIZE)).toEqual(dram(page(5)));
    expect(k.readBytes(page(5), PAGE_SIZE)).not.toEqual(text);
    k.fn.sme_set_mem_enc(page(5), PAGE_SIZE);
    expect(k.readBytes(page(5), PAGE_SIZE)).toEqual(text);
  });

  test('the earlier translation is flushed from the TLB', () => {
    k.readU64(page(5));
    k.fn.sme_set_mem_dec(page(5), PAGE_SIZE);
    expect(k.cpu.translate(page(5))).toMatchObject({ key: KEY_PLAIN });
    k.fn.sme_set_mem_enc(page(5), PAGE_SIZE);
    expect(k.cpu.translate(page(5))).toMatchObject({ key: KEY_HOST });
  });

  test('the high mapping of the kernel’s data is changed with its direct map', () => {
    const data = k.sym('__overlay_end');
    const direct = k.__va(k.__pa(data));
    k.fn.sme_set_mem_dec(direct, PAGE_SIZE);
    expect([checkpoint.mapped(data).c, checkpoint.mapped(direct).c]).toEqual([0, 0]);
    expect(checkpoint.mapped(va(data + PAGE_SIZE)).c).toBe(1);
  });

  test('the size is rounded up regardless of the start, which is rounded down: with an offset the last page is missed', () => {
    k.fn.sme_set_mem_dec(page(5), 1);
    k.fn.sme_set_mem_dec(va(page(8) + 1), PAGE_SIZE);
    expect([4, 5, 6, 7, 8, 9].map(c)).toEqual([1, 0, 1, 1, 0, 1]);
  });

  test('a size of more than INT_MAX pages is refused with EINVAL', () => {
    const most = (2 ** 31 - 1) * PAGE_SIZE;
    expect(k.fn.sme_set_mem_dec(page(5), most + 1)).toBe(-EINVAL);
    expect(c(5)).toBe(1);
  });
});

describe('caches after set_memory_dec', () => {
  /** Bytes of a page after: a dirty line under the host’s key, set_memory_dec, a device’s write, a write-back of all lines. */
  function deviceAfterDec(from: BootCheckpoint): Uint8Array {
    from.restore();
    from.k.writeBytes(page(5), new Uint8Array(PAGE_SIZE).fill(0xee));
    expect(patched(from.k).fn.sme_set_mem_dec(page(5), PAGE_SIZE)).toBe(0);
    from.boot.machine.dmaWrite(pa(physical(page(5))), text);
    for (const cpu of from.boot.machine.cpus) cpu.wbinvd();
    return from.k.readBytes(page(5), PAGE_SIZE);
  }

  test('CLFLUSH through the new mapping misses lines of the old key: they overwrite a device’s data', () => {
    const got = deviceAfterDec(checkpoint);
    expect(got).not.toEqual(text);
    expect(dram(page(5), KEY_HOST)).toEqual(new Uint8Array(PAGE_SIZE).fill(0xee));
  });

  exhaustiveTest('a CPU that enforces coherency across keys (HwEnfCacheCoh) loses no data', () => {
    const coherent = new BootCheckpoint('drivers', {
      scenario: scenario('bios-minimal', 'machine.ram=256MiB', 'machine.cpu=zen-3'),
    });
    expect(deviceAfterDec(coherent)).toEqual(text);
  });

  test('without CLFLUSH all caches are written back, and no data is lost', () => {
    checkpoint.restore();
    k.state.bootCpuData.capability.X86_FEATURE_CLFLUSH = 0;
    k.writeBytes(page(5), new Uint8Array(PAGE_SIZE).fill(0xee));
    k.fn.sme_set_mem_dec(page(5), PAGE_SIZE);
    machine.dmaWrite(pa(physical(page(5))), text);
    machine.cpus[0].wbinvd();
    expect(k.readBytes(page(5), PAGE_SIZE)).toEqual(text);
  });
});

describe('set_memory_dec at a hole', () => {
  test('maps it and the pages after it to the frames that follow that of the page before', () => {
    checkpoint.unmap(page(5));
    k.fn.sme_set_mem_dec(page(4), 3 * PAGE_SIZE);
    const frames = [3, 4, 5, 6, 7].map(
      (n) => (checkpoint.mapped(page(n)).pa - physical(PMD)) / PAGE_SIZE,
    );
    expect(frames).toEqual([3, 4, 4, 5, 7]);
  });

  test('maps it to page frame 0 if it is the first page', () => {
    checkpoint.unmap(page(5));
    k.fn.sme_set_mem_dec(page(5), PAGE_SIZE);
    expect(checkpoint.mapped(page(5)).pa).toBe(0);
  });
});

describe('with memory encryption off', () => {
  const plain = new BootCheckpoint('drivers', {
    scenario: scenario('bios-minimal', 'machine.ram=256MiB', 'cmdline=console=tty0'),
  });

  test('no mapping changes and nothing is flushed', () => {
    plain.restore();
    plain.k.readU64(page(5));
    const at = plain.mapped(page(5));
    const known = plain.k.cpu.tlb.entries();
    expect(patched(plain.k).fn.sme_set_mem_dec(page(5), PAGE_SIZE)).toBe(0);
    expect(patched(plain.k).fn.set_memory_dec(page(5), 1)).toBe(0);
    expect(plain.mapped(page(5))).toEqual(at);
    expect(plain.level(page(5))).toBe(PG_LEVEL_2M);
    expect(plain.k.cpu.tlb.entries()).toEqual(expect.arrayContaining(known));
  });
});
