/** The registers of the boot processors of two machines, compared. */
import { hex } from '../../machine/address.js';
import type { Cpu } from '../../machine/cpu/cpu.js';
import { GENERAL_REGISTERS } from '../../machine/cpu/registers.js';
import type { Core } from '../../x86/core.js';
import { ARITHMETIC } from '../../x86/flags.js';

export interface RegisterDifference {
  readonly name: string;
  readonly image: string;
  readonly model: string;
}

const table = ({ base, limit }: { base: number; limit: number }): string =>
  `${hex(base)}, limit ${hex(limit)}`;

type Row = readonly [name: string, value: (cpu: Cpu) => string];
const RIP: Row = ['RIP', (cpu) => hex(cpu.rip)];
/** What both have at a label. Arithmetic flags are not in the model. */
const ROWS: readonly Row[] = [
  ['RFLAGS', (cpu) => hex((cpu.rflags & ~ARITHMETIC) >>> 0)],
  ['CPL', (cpu) => String(cpu.cpl)],
  ['CS', (cpu) => hex(cpu.cs)],
  ['SS', (cpu) => hex(cpu.ss)],
  ['CR0', (cpu) => hex(cpu.cr0)],
  ['CR2', (cpu) => hex(cpu.cr2)],
  ['CR3', (cpu) => hex(cpu.cr3)],
  ['CR4', (cpu) => hex(cpu.cr4)],
  ['GDTR', (cpu) => table(cpu.gdtr)],
  ['IDTR', (cpu) => table(cpu.idtr)],
  ['TR', (cpu) => `${hex(cpu.tr.selector)}, ${table(cpu.tr)}`],
];

/**
 * The differences of two CPUs.
 *
 * @param core the registers of the CPU that executed instructions; those that the model does not know are left out.
 * @param withRip whether RIP is compared.
 */
export function registerDifferences(
  core: Core,
  model: Cpu,
  withRip: boolean,
): RegisterDifference[] {
  core.toCpu();
  const general = GENERAL_REGISTERS.flatMap((name, number) =>
    model.knows(name)
      ? [
          {
            name: name.toUpperCase(),
            image: hex(core.get64(number)),
            model: hex(BigInt.asUintN(64, BigInt(model[name]))),
          },
        ]
      : [],
  );
  const rows = withRip ? [RIP, ...ROWS] : ROWS;
  const others = rows.map(([name, value]) => ({
    name,
    image: value(core.cpu),
    model: value(model),
  }));
  const msrs = new Map(model.msrs.entries());
  const ofMsrs = core.cpu.msrs.entries().map(([name, value]) => ({
    name: `MSR ${name}`,
    image: hex(value),
    model: hex(msrs.get(name) ?? 0n),
  }));
  return [...general, ...others, ...ofMsrs].filter((each) => each.image !== each.model);
}
