/**
 * arch/x86/kernel/mpparse.c: the MP configuration table, read through an early I/O mapping. Entries of buses, I/O APICs and
 * interrupts are skipped.
 */
import { latin1 } from '../../../../../base/bytes.js';
import { va, type Va } from '../../../../../machine/address.js';
import { MPC, num_processors, SPECIFICATIONS } from './mpf.js';
import { fn, inline, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    /** Returns whether the table was read. */
    check_physptr(k: Kernel, physptr: number): boolean;
    /** Returns whether signature, checksum, version and local APIC address are valid. */
    smp_check_mpc(k: Kernel, mpc: Va): boolean;
    /** Returns the number of processors. */
    smp_read_mpc(k: Kernel, mpc: Va): number;
    MP_processor_info(k: Kernel, entry: Va): void;
  }
}

/** struct mpc_cpu. */
export const MPC_CPU = { type: 0, apicid: 1, apicver: 2, cpuflag: 3, size: 20 } as const;

/** "PCMP" as 32 bits. */
const MPC_SIGNATURE = 0x504d_4350;
/** Types of the table's entries and their sizes in bytes. */
const MP_PROCESSOR = 0;
const ENTRY_SIZES: Readonly<Record<number, number>> = {
  [MP_PROCESSOR]: MPC_CPU.size,
  1: 8,
  2: 8,
  3: 8,
  4: 8,
};
const CPU_ENABLED = 1;
const CPU_BOOTPROCESSOR = 2;

function text(k: Kernel, at: Va, length: number): string {
  return latin1(k.readBytes(at, length)).trimEnd();
}

export const mpc = bodies({
  check_physptr: fn((k: Kernel, physptr: number) => {
    const size = k.fn.get_mpc_size(physptr);
    const mpc = va(k.fn.early_ioremap(physptr, size));
    const good = k.fn.smp_read_mpc(mpc) !== 0;
    if (!good) {
      k.state.mp.mpfFound = null;
      k.state.mp.foundConfig = false;
      k.fn.printk('BIOS bug, MP table errors detected!... disabling SMP support.');
    }
    k.fn.early_iounmap(mpc, size);
    return good;
  }),

  smp_check_mpc: inline((k: Kernel, mpc: Va) => {
    const bad = (what: string): boolean => {
      k.fn.printk(`MPTABLE: ${what}!`);
      return false;
    };
    if (k.readU32(va(mpc + MPC.signature)) !== MPC_SIGNATURE) return bad('bad signature');
    const length = k.readU16(va(mpc + MPC.length));
    if (k.fn.mpf_checksum(mpc, length) !== 0) return bad('checksum error');
    if (!SPECIFICATIONS.includes(k.readU8(va(mpc + MPC.spec)))) return bad('bad table version');
    if (k.readU32(va(mpc + MPC.lapic)) === 0) return bad('null local APIC address');
    k.fn.printk(`MPTABLE: OEM ID: ${text(k, va(mpc + MPC.oem), 8)}`);
    k.fn.printk(`MPTABLE: Product ID: ${text(k, va(mpc + MPC.productid), 12)}`);
    return true;
  }),

  smp_read_mpc: fn((k: Kernel, mpc: Va) => {
    if (!k.fn.smp_check_mpc(mpc)) return 0;
    const { mp } = k.state;
    mp.lapic = k.readU32(va(mpc + MPC.lapic));
    const length = k.readU16(va(mpc + MPC.length));
    k.trace.recorder.consumed('MP configuration table', 'smp_read_mpc', k.readBytes(mpc, length));
    for (let at: number = MPC.size; at < length;) {
      const type = k.readU8(va(mpc + at));
      const size = ENTRY_SIZES[type];
      if (size === undefined) {
        k.fn.printk(`Your mptable is wrong, contact your HW vendor! type ${type.toString(16)}`);
        break;
      }
      // ACPI may have listed the CPUs already.
      if (type === MP_PROCESSOR && !k.state.madt.lapic) k.fn.MP_processor_info(va(mpc + at));
      at += size;
    }
    const count = num_processors(k);
    if (count === 0) k.fn.printk('MPTABLE: no processors registered!');
    return count;
  }, true),

  MP_processor_info: inline((k: Kernel, entry: Va) => {
    const flags = k.readU8(va(entry + MPC_CPU.cpuflag));
    if ((flags & CPU_ENABLED) === 0) return;
    const apicid = k.readU8(va(entry + MPC_CPU.apicid));
    const bootup = (flags & CPU_BOOTPROCESSOR) !== 0;
    k.fn.printk(`Processor #${String(apicid)}${bootup ? ' (Bootup-CPU)' : ''}`);
    if (k.fn.generic_processor_info(apicid)) k.state.mp.processors.push({ apicid, bootup });
  }),
});
