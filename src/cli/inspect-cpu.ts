/** The value of `--cpu`. */
import type { Command } from 'commander';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { InputError } from '../base/errors.js';
import { plainNumber } from './numbers.js';
import { givenOptions } from './usage.js';

/** The numbers of a machine's CPUs. */
export const cpuNumbers = ({ machine }: InspectedBoot): string[] =>
  machine.cpus.map(({ id }) => String(id));

/** The CPU of a number; the boot CPU without one. Throws E_USAGE if the machine has no such CPU. */
export function cpuOf(boot: InspectedBoot, text: string | undefined): Cpu {
  const { cpus } = boot.machine;
  if (text === undefined) return cpus[0];
  const cpu = cpus[plainNumber(text, 0, cpus.length - 1) ?? cpus.length];
  if (cpu !== undefined) return cpu;
  const last = cpus.length - 1;
  throw new InputError({
    code: 'E_USAGE',
    place: { path: '--cpu' },
    reason: 'the machine has no such CPU',
    expected: last === 0 ? '0, its only one' : `a number from 0 to ${String(last)}`,
    found: JSON.stringify(text),
  });
}

/** What is the same for every CPU. */
const OF_MACHINE = ['--engine', '--exposed'];
const OF_CPU = ['--regs', '--tlb', '--ptdump', '--vtop', '--mem', '--cache'];

/** Throws E_USAGE for `--cpu` beside options that show the machine only. */
export function refuseCpu(command: Command): void {
  const given = givenOptions(command);
  if (!given.includes('--cpu') || !OF_MACHINE.some((flag) => given.includes(flag))) return;
  if (OF_CPU.some((flag) => given.includes(flag))) return;
  throw new InputError({
    code: 'E_USAGE',
    place: { path: 'inspect' },
    reason: `--cpu has no effect on ${OF_MACHINE.filter((flag) => given.includes(flag)).join(' and ')}`,
    expected: OF_CPU.join(', '),
    found: '--cpu',
  });
}
