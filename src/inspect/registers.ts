/** The registers of a CPU, as text and numbers. */
import { hex, PAGE_SIZE } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import { ACTIVITY, type Activity } from '../machine/cpu/cpu-core.js';
import { MEMTYPE_NAMES, patTypes } from '../machine/cpu/memory-types.js';
import { bitNames, CR0, CR4, EFER, GENERAL_REGISTERS } from '../machine/cpu/registers.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';

/** The activities of a CPU, by ACTIVITY. */
const ACTIVITIES: Readonly<Record<Activity, string>> = {
  [ACTIVITY.running]: 'running',
  [ACTIVITY.waitForSipi]: 'waits for a STARTUP IPI',
  [ACTIVITY.shutdown]: 'shut down',
};

/** The registers of a CPU by name; a general register that the model has not set is in `notModelled`. */
export function registersOf(boot: InspectedBoot, cpu: Cpu): Readonly<Record<string, unknown>> {
  const executed = boot.registers(cpu.id);
  const known = GENERAL_REGISTERS.filter((name) => executed !== null || cpu.knows(name));
  const general = Object.fromEntries(
    known.map((name) => [name, hex(executed?.general.get(name) ?? cpu[name])]),
  );
  const pat = (patTypes(cpu.msrs.get('PAT')) ?? []).map((type) => MEMTYPE_NAMES[type]);
  const cr3 = cpu.decodeEntry(cpu.cr3, PAGE_SIZE);
  const efer = Number(cpu.msrs.get('EFER'));
  return {
    cpu: cpu.id,
    activity: ACTIVITIES[cpu.activity],
    mode: cpu.mode,
    ...general,
    rip: hex(cpu.rip),
    rflags: hex(executed?.rflags ?? cpu.rflags),
    cr0: { value: hex(cpu.cr0), bits: bitNames(CR0, cpu.cr0) },
    cr2: hex(cpu.cr2),
    cr3: { value: hex(cpu.cr3), table: hex(cr3.pa), c: cr3.c },
    cr4: { value: hex(cpu.cr4), bits: bitNames(CR4, cpu.cr4) },
    EFER: { value: hex(efer), bits: bitNames(EFER, efer) },
    SYSCFG: { value: hex(cpu.msrs.get('SYSCFG')), MemEncryptionModEn: cpu.encryption },
    PAT: { value: hex(cpu.msrs.get('PAT')), slots: pat },
    IDTR: { base: hex(cpu.idtr.base), limit: cpu.idtr.limit },
    GDTR: { base: hex(cpu.gdtr.base), limit: cpu.gdtr.limit },
    cpl: cpu.cpl,
    // A register that was never set is unknown, not zero: the kernel's functions are modelled, not executed.
    ...(executed === null && {
      notModelled: [
        ...GENERAL_REGISTERS.filter((name) => !cpu.knows(name)),
        'rflags CF PF AF ZF SF OF IF',
      ],
    }),
  };
}
