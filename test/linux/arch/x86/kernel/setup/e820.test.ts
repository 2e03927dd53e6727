import { expect, test } from '@jest/globals';
import { E820 } from '../../../../../../src/linux/arch/x86/include/asm/e820.js';
import { BootCheckpoint } from '../../../../../kernel/at-label.js';

const checkpoint = new BootCheckpoint('setup_memory_map');
const { k } = checkpoint;
const entry = (addr: number, size: number, type: number): (typeof k.state.e820)[number] => ({
  addr: BigInt(addr),
  size: BigInt(size),
  type,
});
const typeAt = (at: number): number | undefined =>
  k.state.e820.find(({ addr, size }) => addr <= at && addr + size > at)?.type;

test('e820_add_kernel_range makes the kernel’s range RAM where the map has it as reserved', () => {
  checkpoint.restore();
  const text = k.__pa(k.sym('_text'));
  const size = k.__pa(k.sym('_end')) - text;
  k.state.e820 = [entry(0, text + 0x1000, E820.RAM), entry(text + 0x1000, 2 ** 30, E820.RESERVED)];
  k.fn.e820_add_kernel_range();
  k.fn.trim_bios_range();
  expect(typeAt(text + size - 1)).toBe(E820.RAM);
  expect(typeAt(text + size)).toBe(E820.RESERVED);
});
