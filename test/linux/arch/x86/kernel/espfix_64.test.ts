import { beforeEach, describe, expect, test } from '@jest/globals';
import { PAGE_SIZE, va } from '../../../../../src/machine/address.js';
import {
  ESPFIX_BASE_ADDR,
  ESPFIX_STACKS_PER_PAGE,
} from '../../../../../src/linux/arch/x86/kernel/espfix_64.js';
import { firstOf } from '../../../../cases.js';
import { boot, intact } from '../../../../helpers.js';
import { BootCheckpoint } from '../../../../kernel/at-label.js';

const checkpoint = new BootCheckpoint('init_espfix_bsp');
const { k } = checkpoint;

beforeEach(() => {
  checkpoint.restore();
});

describe('espfix_base_addr', () => {
  test('places the stacks of one page 64 bytes apart, from the address of PGD entry −2 on', () => {
    expect(ESPFIX_BASE_ADDR).toBe(-(2 ** 40));
    expect([0, 1, ESPFIX_STACKS_PER_PAGE - 1].map((cpu) => k.fn.espfix_base_addr(cpu))).toEqual([
      ESPFIX_BASE_ADDR,
      ESPFIX_BASE_ADDR + 64,
      ESPFIX_BASE_ADDR + 63 * 64,
    ]);
  });

  test('moves the page number past the low 32 bits after 16 pages', () => {
    const cpu = (page: number): number => page * ESPFIX_STACKS_PER_PAGE;
    expect([15, 16, 17].map((page) => k.fn.espfix_base_addr(cpu(page)) - ESPFIX_BASE_ADDR)).toEqual(
      [15 * PAGE_SIZE, 2 ** 32, 2 ** 32 + PAGE_SIZE],
    );
  });
});

describe('init_espfix_bsp', () => {
  test('maps the page read-only at every 64 KiB of 4 GiB, encrypted, and nothing between', () => {
    const at = (offset: number): ReturnType<typeof checkpoint.mapped> =>
      checkpoint.mapped(va(ESPFIX_BASE_ADDR + offset));
    const first = at(0);
    expect(first).toMatchObject({ c: 1, flags: 'A|D|G|NX WB' });
    for (const offset of [2 ** 16, 2 ** 21 - 2 ** 16, 2 ** 21, 2 ** 30, 2 ** 32 - 2 ** 16]) {
      expect(at(offset)).toEqual(first);
    }
    expect(checkpoint.entry(va(ESPFIX_BASE_ADDR + PAGE_SIZE))).toBe(0n);
    expect(k.fn.lookup_address(ESPFIX_BASE_ADDR + 2 ** 32)).toBeUndefined();
  });

  test('maps the alias so that a write through it faults', () => {
    expect(k.cpu.storeU64(va(ESPFIX_BASE_ADDR), 0n)).toMatchObject({ vector: 14 });
  });

  test('leaves room for another CPU’s stack in the same page', () => {
    k.fn.init_espfix_ap(3);
    const waddr = (cpu: number): bigint => k.readU64(va(k.sym('espfix_waddr') + cpu * 8));
    expect(waddr(3) - waddr(0)).toBe(192n);
    k.fn.native_irq_return_ldt(3);
    const frame = k.readBytes(va(ESPFIX_BASE_ADDR + 192), 48);
    expect(frame).toEqual(k.readBytes(va(Number(BigInt.asIntN(64, waddr(3)))), 48));
  });
});

describe('a frame on an espfix stack', () => {
  test.each(firstOf(1, [0, 17, 18]))(
    'is read back intact through its alias at stage %i',
    (stage) => {
      const run = boot({ stage });
      while (run.step());
      expect(intact(run.finish(), 'espfix frame')).toBe(true);
    },
  );
});
