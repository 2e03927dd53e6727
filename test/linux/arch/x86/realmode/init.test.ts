import { describe, expect, test } from '@jest/globals';
import { PAGE_OFFSET } from '../../../../../src/kernel/constants.js';
import {
  OPERANDS,
  RM,
  RM_PAGES_SIZE,
  TRAMPOLINE_HEADER,
} from '../../../../../src/linux/arch/x86/realmode/rmpiggy.js';
import { realModeField } from '../../../../../src/linux/arch/x86/realmode/init.js';
import { pa, va } from '../../../../../src/machine/address.js';
import type { Boot, BootOptions } from '../../../../../src/sequencer/boot.js';
import { TH_FLAGS_OFFSET } from '../../../../../src/realmode/15-trampoline-flags.js';
import { firstOf } from '../../../../cases.js';
import { boot, scenario } from '../../../../helpers.js';

const C = 1n << 47n;
const START: Partial<BootOptions> = { scenario: scenario('bios-minimal', 'machine.ram=256MiB') };

/** A boot that has run step `label`, and the trampoline's physical address. */
function after(label: string, options: Partial<BootOptions>): { it: Boot; base: number } {
  const it = boot({ ...START, ...options });
  it.runTo(label);
  const range = it.kernel.state.memblock.reserved.find((r) => r.owner === 'reserve_real_mode');
  return { it, base: range?.base ?? 0 };
}
/** The u64 at a physical address, read with or without the C-bit. */
function u64(it: Boot, at: number, encrypted: boolean): bigint {
  const { k } = { k: it.kernel };
  const read = encrypted ? k.readU64(va(PAGE_OFFSET + at)) : plain(it, at);
  return read;
}
function plain(it: Boot, at: number): bigint {
  return new DataView(it.machine.dmaRead(pa(at), 8).buffer).getBigUint64(0, true);
}

describe('reserve_real_mode', () => {
  test.each(firstOf(1, [0, 9, 18]))('at stage %p reserves whole pages below 1 MiB', (stage) => {
    const { it, base } = after('memblock_x86_fill', { stage });
    const range = it.kernel.state.memblock.reserved.find((r) => r.owner === 'reserve_real_mode');
    expect(range?.size).toBe(RM_PAGES_SIZE);
    expect([base % 4096, base > 0, base + RM_PAGES_SIZE <= 0x10_0000]).toEqual([0, true, true]);
  });
});

describe('setup_real_mode', () => {
  test('relocates the header, the segment and the operands to the blob’s address', () => {
    const { it, base } = after('init_mem_mapping', { stage: 9 });
    const { kernel } = it;
    expect(realModeField(kernel, 'trampoline_start')).toBe(base + RM.trampoline_start);
    expect(realModeField(kernel, 'trampoline_pgd')).toBe(base + RM.trampoline_pgd);
    const at = (offset: number): number => kernel.readU32(va(PAGE_OFFSET + base + offset));
    expect(kernel.readU16(va(PAGE_OFFSET + base + OPERANDS['ljmpw:real_mode_seg'].at))).toBe(
      base / 16,
    );
    expect(at(OPERANDS.pa_startup_32.at)).toBe(base + RM.startup_32);
    expect(at(OPERANDS.rm_stack_end.at)).toBe(RM.rm_stack_end);
    expect(at(RM.tr_gdt + 2)).toBe(base + RM.tr_gdt);
  });

  test('fills in the header: EFER without LMA, the kernel’s entry point, CR4', () => {
    const { it, base } = after('init_mem_mapping', { stage: 9 });
    const header = base + RM.trampoline_header;
    expect(u64(it, header + TRAMPOLINE_HEADER.efer, true) & (1n << 10n)).toBe(0n);
    expect(u64(it, header + TRAMPOLINE_HEADER.efer, true) & (1n << 8n)).toBe(1n << 8n);
    expect(BigInt.asIntN(64, u64(it, header + TRAMPOLINE_HEADER.start, true))).toBe(
      BigInt(it.program.link('secondary_startup_64')),
    );
    expect(it.kernel.readU32(va(PAGE_OFFSET + header + TRAMPOLINE_HEADER.cr4))).toBe(
      it.kernel.cpu.cr4,
    );
  });

  test.each([
    [9, 0n],
    [18, C],
  ])('at stage %p copies the PGD’s entries from the kernel’s, with a mask of %p', (stage, mask) => {
    const { it, base } = after('init_mem_mapping', { stage });
    const pgd = base + RM.trampoline_pgd;
    const kernel = it.program.link('init_level4_pgt');
    for (const [index, source] of [
      [0, 272],
      [511, 511],
    ] as const) {
      const entry = u64(it, pgd + index * 8, true);
      expect(entry).toBe(it.kernel.readU64(va(kernel + source * 8)));
      expect(entry & C).toBe(mask);
    }
  });

  test.each(
    firstOf(2, [
      [18, false, 1],
      [15, false, 0],
      [14, true, undefined],
      [15, true, 1],
    ]),
  )('at stage %p, activated %p, the header’s flags are %p', (stage, activate, flags) => {
    const { it, base } = after('init_mem_mapping', { stage, activate });
    const value = it.kernel.readU32(
      va(PAGE_OFFSET + base + RM.trampoline_header + TH_FLAGS_OFFSET),
    );
    // Before patch 15 there is no such field: the value is the blob's.
    expect(value).toBe(flags ?? 0);
  });
});

describe('set_real_mode_permissions', () => {
  const text = (it: Boot, base: number): bigint => plain(it, base + RM.trampoline_start);
  const blobText = (it: Boot): bigint => {
    const bytes = it.program.bytesAt(it.program.link('trampoline_start'), 8) ?? new Uint8Array(8);
    return new DataView(bytes.slice().buffer).getBigUint64(0, true);
  };

  test.each(
    firstOf(2, [
      [9, false, true],
      [10, true, false],
      [11, true, true],
      [18, false, true],
    ]),
  )(
    'at stage %p, activated %p, text read without the C-bit is the blob’s: %p',
    (stage, activate, same) => {
      const { it, base } = after('set_real_mode_permissions', { stage, activate });
      expect(text(it, base) === blobText(it)).toBe(same);
    },
  );

  test.each([
    [10, 1],
    [11, 0],
  ])('at stage %p, activated, the trampoline’s direct mapping has C=%p', (stage, c) => {
    const { it, base } = after('set_real_mode_permissions', { stage, activate: true });
    for (const page of [0, 1, 3, 5]) {
      const walk = it.kernel.cpu.traceWalk(va(PAGE_OFFSET + base + page * 4096));
      expect(walk.at(-1)?.c).toBe(c);
    }
    const before = it.kernel.cpu.traceWalk(va(PAGE_OFFSET + base - 4096));
    const following = it.kernel.cpu.traceWalk(va(PAGE_OFFSET + base + RM_PAGES_SIZE));
    expect([before.at(-1)?.c, following.at(-1)?.c]).toEqual([1, 1]);
  });

  test('makes header and text read-only, and only text executable', () => {
    const { it, base } = after('set_real_mode_permissions', { stage: 9 });
    const flags = [0, 1, 2, 3, 5].map((page) => {
      const leaf =
        it.kernel.cpu.traceWalk(va(PAGE_OFFSET + base + page * 4096)).at(-1)?.entry ?? 0n;
      return [(leaf >> 1n) & 1n, leaf >> 63n].map(Number);
    });
    expect(flags).toEqual([
      [0, 1],
      [0, 0],
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });
});
