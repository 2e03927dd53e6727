/** include/linux/cpumask.h: sets of CPUs, each one word in simulated memory: NR_CPUS is 64 (our choice). */
import { va, type Va } from '../../../machine/address.js';
import type { Kernel } from '../../../kernel/kernel.js';
import type { Variable } from '../../../kernel/variables.js';

const BITS = 64;
const BYTES = 8;

export type CpuMask =
  'cpu_initialized_mask' | 'cpu_callout_mask' | 'cpu_callin_mask' | 'cpu_online_mask';

/** An empty set as a variable of a C file. */
export const cpumask = (name: CpuMask, file: string): Variable => ({
  name,
  size: BYTES,
  align: BYTES,
  section: '.bss',
  file,
});

function wordOf(k: Kernel, mask: CpuMask, cpu: number): { at: Va; bit: bigint } {
  const word = Math.floor(cpu / BITS) * BYTES;
  return { at: va(k.sym(mask) + word), bit: 1n << BigInt(cpu % BITS) };
}

export function cpumask_set_cpu(k: Kernel, cpu: number, mask: CpuMask): void {
  const { at, bit } = wordOf(k, mask, cpu);
  k.writeU64(at, k.readU64(at) | bit);
}
export function cpumask_clear_cpu(k: Kernel, cpu: number, mask: CpuMask): void {
  const { at, bit } = wordOf(k, mask, cpu);
  k.writeU64(at, k.readU64(at) & ~bit);
}
export function cpumask_test_cpu(k: Kernel, cpu: number, mask: CpuMask): boolean {
  const { at, bit } = wordOf(k, mask, cpu);
  return (k.readU64(at) & bit) !== 0n;
}

/** Numbers of the online CPUs, ascending. */
export function onlineCpus(k: Kernel): number[] {
  const word = k.readU64(k.sym('cpu_online_mask'));
  return k.machine.cpus.map(({ id }) => id).filter((id) => ((word >> BigInt(id)) & 1n) === 1n);
}
