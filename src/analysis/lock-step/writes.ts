/** Writes of control registers and MSRs, in order, of a machine; and what differs between two such lists. */
import { hex } from '../../machine/address.js';
import { msrName } from '../../machine/cpu/msr.js';
import type { Machine } from '../../machine/machine.js';

/** Control registers that have a listener; EFER and SYSCFG are written as MSRs. */
const CONTROL: Readonly<Record<string, (cpu: Machine['cpus'][0]) => number | bigint>> = {
  CR0: (cpu) => cpu.cr0,
  CR3: (cpu) => cpu.cr3,
  CR4: (cpu) => cpu.cr4,
};

/** Records writes of the boot processor, as `CR3 := 0x1000`, until the function that is returned is called. */
export function recordWrites(machine: Machine, into: string[]): () => void {
  const [cpu] = machine.cpus;
  const stops = [
    machine.probes.controlWritten.listen((id, register) => {
      const value =
        id === cpu.id ? new Map(Object.entries(CONTROL)).get(register)?.(cpu) : undefined;
      if (value !== undefined) into.push(`${register} := ${hex(value)}`);
    }),
    machine.probes.msrWritten.listen((id, msr, value) => {
      if (id === cpu.id) into.push(`${msrName(msr) ?? `MSR ${hex(msr)}`} := ${hex(value)}`);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** A write that only one of two lists has, at its number in that list, counted from 1. */
export interface WriteDifference {
  readonly by: 'image' | 'model';
  readonly number: number;
  readonly what: string;
}

/** Writes of one list that a longest common subsequence does not have. */
export function writeDifferences(
  image: readonly string[],
  model: readonly string[],
): WriteDifference[] {
  // common[i][j]: the length of the longest common subsequence of the lists from i and j on.
  const common = Array.from({ length: image.length + 1 }, () => new Uint32Array(model.length + 1));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = image.length - 1; i >= 0; i--) {
    for (let j = model.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row === undefined) continue;
      row[j] = image[i] === model[j] ? 1 + at(i + 1, j + 1) : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: WriteDifference[] = [];
  let [i, j] = [0, 0];
  while (i < image.length || j < model.length) {
    if (i < image.length && j < model.length && image[i] === model[j]) {
      i++;
      j++;
    } else if (j >= model.length || (i < image.length && at(i + 1, j) >= at(i, j + 1))) {
      found.push({ by: 'image', number: i + 1, what: image[i++] ?? '' });
    } else found.push({ by: 'model', number: j + 1, what: model[j++] ?? '' });
  }
  return found;
}
