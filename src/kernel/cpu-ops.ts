/** Privileged instructions as kernel code uses them: executed by the CPU, with an event, faults delivered. */
import { hex, PAGE_SIZE, PGDIR_SIZE, PMD_SIZE, PUD_SIZE, va, type Va } from '../machine/address.js';
import type { Kernel } from './kernel.js';
import {
  MSR_EFER,
  MSR_GS_BASE,
  MSR_IA32_CR_PAT,
  MSR_IA32_MISC_ENABLE,
  MSR_K8_SYSCFG,
  MSR_MTRRdefType,
  MSR_VM_CR,
  MSR_VM_HSAVE_PA,
  X86_CR4_PGE,
} from './constants.js';

/** Names of the MSRs that boot code accesses, for the trace. */
const MSR_NAMES: Readonly<Record<number, string>> = {
  [MSR_EFER]: 'EFER',
  [MSR_GS_BASE]: 'GS_BASE',
  [MSR_IA32_CR_PAT]: 'IA32_PAT',
  [MSR_MTRRdefType]: 'MTRRdefType',
  [MSR_K8_SYSCFG]: 'SYSCFG',
  [MSR_IA32_MISC_ENABLE]: 'MISC_ENABLE',
  [MSR_VM_CR]: 'VM_CR',
  [MSR_VM_HSAVE_PA]: 'VM_HSAVE_PA',
};

const msrName = (msr: number): string => MSR_NAMES[msr] ?? hex(msr);

export function cpuid(
  k: Kernel,
  leaf: number,
  sub = 0,
): { eax: number; ebx: number; ecx: number; edx: number } {
  const result = k.cpu.cpuid(leaf, sub);
  k.trace.emit('cpuid', {
    leaf: hex(leaf),
    eax: hex(result.eax),
    ebx: hex(result.ebx),
    ecx: hex(result.ecx),
    edx: hex(result.edx),
  });
  return result;
}

export function rdmsr(k: Kernel, msr: number): bigint {
  for (;;) {
    const value = k.cpu.rdmsr(msr);
    if (typeof value === 'bigint') {
      k.trace.emit('rdmsr', { msr: msrName(msr), value: hex(value) });
      return value;
    }
    k.fault(value);
  }
}

export function wrmsr(k: Kernel, msr: number, value: bigint): void {
  k.retryUntilDelivered(() => k.cpu.wrmsr(msr, value));
  k.trace.emit('wrmsr', { msr: msrName(msr), value: hex(value) });
}

export function write_cr0(k: Kernel, value: number): void {
  k.retryUntilDelivered(() => k.cpu.writeCr0(value));
  k.trace.emit('cr', { reg: 'CR0', value: hex(value) });
}

/** MOV to CR3. `name`: the page table, for the trace. */
export function write_cr3(k: Kernel, value: bigint, name: string): void {
  k.retryUntilDelivered(() => k.cpu.writeCr3(value));
  const decoded = k.cpu.decodeEntry(value, PAGE_SIZE);
  k.trace.emit('cr', { reg: 'CR3', value: hex(decoded.pa), table: name, C: decoded.c });
}

export function write_cr4(k: Kernel, value: number): void {
  k.retryUntilDelivered(() => k.cpu.writeCr4(value));
  k.trace.emit('cr', { reg: 'CR4', value: hex(value) });
}

export function wbinvd(k: Kernel): void {
  k.cpu.wbinvd();
  k.trace.emit('cache-flush', { how: 'wbinvd' });
}

/** OUT of 16 bits (asm/io.h). */
export function outw(k: Kernel, value: number, port: number): void {
  k.machine.bus.portOut(port, value, 2);
}

export function invlpg(k: Kernel, address: Va): void {
  k.cpu.invlpg(address);
}

/** local_flush_tlb(): writes CR3 with its own value; global entries stay (asm/tlbflush.h). */
export function __flush_tlb(k: Kernel): void {
  k.retryUntilDelivered(() => k.cpu.writeCr3(k.cpu.cr3));
  k.trace.emit('tlb-flush', { how: 'cr3' });
}

/** __flush_tlb_all(): toggles CR4.PGE, which flushes global entries too (asm/tlbflush.h). */
export function __flush_tlb_all(k: Kernel): void {
  const cr4 = k.cpu.cr4;
  k.retryUntilDelivered(() => k.cpu.writeCr4(cr4 & ~X86_CR4_PGE));
  k.retryUntilDelivered(() => k.cpu.writeCr4(cr4));
  k.trace.emit('tlb-flush', { how: 'pge' });
}

/** Size in bytes of the range that one entry governs, by the level of its table. */
export const ENTRY_SPAN = {
  pgd: PGDIR_SIZE,
  pud: PUD_SIZE,
  pmd: PMD_SIZE,
  pte: PAGE_SIZE,
} as const;
export type Level = keyof typeof ENTRY_SPAN;

/** Writes a page-table entry through the mapping of its table and emits it. `mapped`: first address it governs. */
export function set_entry(
  k: Kernel,
  level: Level,
  table: Va,
  index: number,
  value: bigint,
  mapped: Va,
): void {
  k.writeU64(va(table + index * 8), value);
  k.trace.entry(table, index, value, mapped, ENTRY_SPAN[level]);
}

/** Reads a page-table entry through the mapping of its table. */
export function get_entry(k: Kernel, table: Va, index: number): bigint {
  return k.readU64(va(table + index * 8));
}
