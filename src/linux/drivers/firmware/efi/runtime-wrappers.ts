/** Calls of the firmware: asm/efi.h (efi_call_virt), platform/efi/efi_stub_64.S, drivers/firmware/efi/runtime-wrappers.c. */
import { alignDown, hex, va, type Va } from '../../../../machine/address.js';
import { EFI_RUNTIME_SERVICES, EFI_SYSTEM_TABLE, guid } from '../../../../firmware/efi/layout.js';
import { callRuntimeService } from '../../../../firmware/efi/runtime.js';
import { UnmodelledError } from '../../../../machine/unmodelled.js';
import { __flush_tlb_all, write_cr3 } from '../../../../kernel/cpu-ops.js';
import { fn, inline, bodies } from '../../../../kernel/table.js';
import type { Kernel } from '../../../../kernel/kernel.js';
import type { Variable } from '../../../../kernel/variables.js';

declare module '../../../../kernel/table.js' {
  interface Entries {
    /** Calls firmware code at an address of the mapping in force; returns RAX. */
    efi_call(k: Kernel, fp: bigint, args: readonly bigint[]): bigint;
    /** A runtime service through its virtual address, with the EFI page tables loaded. */
    efi_call_virt(
      k: Kernel,
      service: keyof typeof EFI_RUNTIME_SERVICES,
      args: readonly bigint[],
    ): bigint;
    virt_efi_set_variable(
      k: Kernel,
      name: Va,
      vendor: Va,
      attr: number,
      size: number,
      data: bigint,
    ): bigint;
    virt_efi_get_time(k: Kernel, tm: Va, tc: bigint): bigint;
    efi_delete_dummy_variable(k: Kernel): void;
  }
}

/** SAVE_XMM keeps RSP, CR0 and six registers in an aligned frame (efi_stub_64.S). */
const XMM_FRAME = 0x70;
const FRAME_ALIGN = 16;

/** EFI_VARIABLE_NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS (UEFI 7.2). */
const DUMMY_ATTRIBUTES = 7;
const DUMMY_NAME = 'DUMMY';

export const efiStub = bodies({
  efi_call: fn((k: Kernel, fp: bigint, args: readonly bigint[]) => {
    const { cpu } = k;
    const before = cpu.rsp;
    cpu.rsp = va(alignDown(before - XMM_FRAME, FRAME_ALIGN));
    k.writeU64(cpu.rsp, BigInt(before));
    const result = callRuntimeService(cpu, k.canonical(fp), args);
    if (result.kind === 'fault') {
      k.fault(result.fault);
      // Firmware is not restarted where it faulted; no handler of this kernel mends such a fault.
      throw new UnmodelledError('firmware code after a fault that was handled');
    }
    k.trace.emit('enter', { fn: result.service, what: `firmware, status ${hex(result.status)}` });
    cpu.rsp = k.canonical(k.readU64(cpu.rsp));
    return result.status;
  }, true),
});

export const efiHeader = bodies({
  efi_call_virt: inline((k: Kernel, service, args) => {
    const { scratch, virtSystab } = k.state.efi;
    k.fn.efi_sync_low_kernel_mappings();
    const prev_cr3 = k.cpu.cr3;
    if (scratch.use_pgd) {
      write_cr3(k, scratch.efi_pgt, 'efi_pgd');
      __flush_tlb_all(k);
    }
    const systab = k.canonical(virtSystab);
    const runtime = k.canonical(k.readU64(va(systab + EFI_SYSTEM_TABLE.RuntimeServices)));
    const fp = k.readU64(va(runtime + EFI_RUNTIME_SERVICES[service]));
    const status = k.fn.efi_call(fp, args);
    if (scratch.use_pgd) {
      write_cr3(k, prev_cr3, 'init_level4_pgt');
      __flush_tlb_all(k);
    }
    return status;
  }),
});

export const runtimeWrappers = bodies({
  virt_efi_set_variable: fn((k: Kernel, name, vendor, attr, size, data) =>
    k.fn.efi_call_virt('SetVariable', [
      BigInt(name),
      BigInt(vendor),
      BigInt(attr),
      BigInt(size),
      data,
    ]),
  ),
  virt_efi_get_time: fn((k: Kernel, tm, tc) => k.fn.efi_call_virt('GetTime', [BigInt(tm), tc])),
});

export const efiDummy = bodies({
  // Its status is not looked at.
  efi_delete_dummy_variable: fn((k: Kernel) => {
    k.fn.virt_efi_set_variable(
      k.sym('efi_dummy_name'),
      k.sym('EFI_DUMMY_GUID'),
      DUMMY_ATTRIBUTES,
      0,
      0n,
    );
  }, true),
});

const file = 'arch/x86/platform/efi/quirks.c';
export const efiRuntimeVariables: readonly Variable[] = [
  {
    name: 'efi_dummy_name',
    size: 2 * (DUMMY_NAME.length + 1),
    align: 8,
    section: '.data',
    file,
    init: () => Uint8Array.from([...DUMMY_NAME].flatMap((c) => [c.charCodeAt(0), 0])),
  },
  {
    // A constant of the source; the compiler gives it no name.
    name: 'EFI_DUMMY_GUID',
    size: 16,
    align: 8,
    section: '.rodata',
    file,
    init: () => guid('4424ac57-be4b-47dd-9e97-ed50f09f92a9'),
  },
];
