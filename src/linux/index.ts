/** The kernel at the base commit: its files, its variables and the names that have addresses. */
import { acpiBoot, madtState } from './arch/x86/kernel/acpi/boot/madt.js';
import { acpiState, acpiTables } from './drivers/acpi/acpica/tbutils.js';
import { acpiOsl } from './drivers/acpi/osl.js';
import { amdIommuCmd } from './drivers/iommu/amd_iommu/commands.js';
import { amdIommuDma, amdIommuDmaVariables } from './drivers/iommu/amd_iommu/dma.js';
import { amdIommuDomain } from './drivers/iommu/amd_iommu/domain.js';
import { amdIommuEvent } from './drivers/iommu/amd_iommu/events.js';
import { amdIommuHw } from './drivers/iommu/amd_iommu_init/registers.js';
import { amdIommuIdentity } from './drivers/iommu/amd_iommu/identity.js';
import { iommuCore } from './drivers/iommu/iommu.js';
import { amdIommuInit } from './drivers/iommu/amd_iommu_init/states.js';
import { apicC } from './arch/x86/kernel/apic/apic/irq-remapping.js';
import { amdIommuIvrs } from './drivers/iommu/amd_iommu_init/ivrs.js';
import { amdIommuPgtable } from './drivers/iommu/amd_iommu/pgtable.js';
import {
  amdIommuState,
  amdIommuTypes,
  amdIommuVariables,
} from './drivers/iommu/amd_iommu_types.js';
import { apicOptions } from './arch/x86/kernel/apic/apic/params.js';
import { apic } from './arch/x86/kernel/apic/apic/apic.js';
import { cmdline } from './arch/x86/lib/cmdline.js';
import { consoleState } from './include/linux/console.js';
import { cpuCommon, cpuState, cpuVariables } from './arch/x86/kernel/cpu/common/common.js';
import { devicetree } from './arch/x86/kernel/devicetree.js';
import { ofFdt, ofVariables } from './drivers/of/fdt.js';
import { dmaMapping } from './include/linux/dma-mapping/dma-mapping.js';
import { asmDmaMapping } from './arch/x86/include/asm/dma-mapping.js';
import { doMounts } from './init/do_mounts.js';
import { dmiScan, dmiState } from './drivers/firmware/dmi_scan.js';
import { drivers } from './drivers/base/dd.js';
import { e820Options } from './arch/x86/kernel/e820/params.js';
import { e820, e820State } from './arch/x86/kernel/e820/e820.js';
import { early_ioremap, earlyIoremapState } from './mm/early_ioremap.js';
import { ioremap, ioremapVariables } from './arch/x86/mm/ioremap/early.js';
import { efi64 } from './arch/x86/platform/efi/efi_64/page-tables.js';
import { efiBgrt } from './arch/x86/platform/efi/efi-bgrt.js';
import { efiEsrt } from './drivers/firmware/efi/esrt.js';
import { efiFirmware } from './drivers/firmware/efi/efi/tables.js';
import { efiOldMap } from './arch/x86/platform/efi/efi/old-map.js';
import { efiOptions } from './arch/x86/platform/efi/efi/params.js';
import { efiKexec } from './arch/x86/platform/efi/efi/kexec.js';
import { efiMemmap } from './include/linux/efi/memmap.js';
import { efiQuirks } from './arch/x86/platform/efi/quirks/boot-services.js';
import { runtimeWrappers } from './drivers/firmware/efi/runtime-wrappers.js';
import { efiDummy, efiRuntimeVariables } from './arch/x86/platform/efi/quirks/dummy-variable.js';
import { efiHeader } from './arch/x86/include/asm/efi.js';
import { efiStub } from './arch/x86/platform/efi/efi_stub_64.js';
import { efiState } from './include/linux/efi/types.js';
import { efiVirtualMode } from './arch/x86/platform/efi/efi/virtual-mode.js';
import { earlyParam } from './init/main/early-param.js';
import { earlyPrintk } from './arch/x86/kernel/early_printk.js';
import { efi } from './arch/x86/platform/efi/efi/early.js';
import { espfix_64, espfixVariables } from './arch/x86/kernel/espfix_64.js';
import { exec } from './fs/exec.js';
import { head64 } from './arch/x86/kernel/head64.js';
import { gdtVariables, head64Variables } from './arch/x86/kernel/head_64/data.js';
import { head_64, head_64State } from './arch/x86/kernel/head_64/head_64.js';
import { init, initMmState } from './arch/x86/mm/init/init.js';
import { init_64 } from './arch/x86/mm/init_64/init_64.js';
import { identMap } from './arch/x86/mm/init_64/ident-map.js';
import { initramfs } from './init/initramfs/initramfs.js';
import { initrdVariables } from './init/do_mounts_initrd.js';
import { ioremapLate, vmallocState } from './arch/x86/mm/ioremap/late.js';
import { kexecCore, kexecState } from './kernel/kexec_core.js';
import { guestState, kvm } from './arch/x86/kvm/x86/x86.js';
import { kvmEmulate } from './arch/x86/kvm/x86/emulate.js';
import { kvmExit } from './arch/x86/kvm/svm/exit.js';
import { kvmMain } from './virt/kvm/kvm_main.js';
import { kvmMmu, kvmMmuVariables } from './arch/x86/kvm/mmu.js';
import { kvmState } from './include/linux/kvm_host.js';
import { kvmSvm } from './arch/x86/kvm/svm/svm.js';
import { kvmVmm } from './user/vmm.js';
import { machineKexec } from './arch/x86/kernel/machine_kexec_64.js';
import { main, mainState } from './init/main/main.js';
import { fault } from './arch/x86/mm/fault.js';
import { memblock, memblockState } from './mm/memblock.js';
import { microcode, microcodeState } from './arch/x86/kernel/cpu/microcode/core.js';
import { patOptions } from './arch/x86/mm/pat/params.js';
import { mmap, mmapVariables } from './mm/mmap.js';
import { mpState, findSmpConfig, getSmpConfig } from './arch/x86/include/asm/mpspec.js';
import { mpc } from './arch/x86/kernel/mpparse/mpc.js';
import { mtrr } from './arch/x86/kernel/cpu/mtrr/generic.js';
import { pageAlloc, pageState } from './mm/page_alloc/page_alloc.js';
import { pageattrFlush } from './arch/x86/mm/pageattr/flush.js';
import { pageattrPgd } from './arch/x86/mm/pageattr/pgd.js';
import { pageattrSplit } from './arch/x86/mm/pageattr/split.js';
import { pageattr } from './arch/x86/mm/pageattr/pageattr.js';
import { paramState } from './include/linux/init.js';
import { pat, patState } from './arch/x86/mm/pat/pat.js';
import { pciDma, pciDmaState, pciDmaVariables } from './arch/x86/kernel/pci-dma/pci-dma.js';
import { nommuVariables, pciNommu } from './arch/x86/kernel/pci-nommu.js';
import { pciLegacy, pciState } from './arch/x86/pci/legacy.js';
import { pciResources } from './drivers/pci/setup-res.js';
import { pciIomap } from './drivers/pci/pci.js';
import { pciI386 } from './arch/x86/pci/i386.js';
import { pciSwiotlb, pciSwiotlbVariables } from './arch/x86/kernel/pci-swiotlb.js';
import { pgtableTypes, pgtableVariables } from './arch/x86/include/asm/pgtable_types.js';
import { printk } from './kernel/printk/printk.js';
import { probeRoms, romsState } from './arch/x86/kernel/probe_roms.js';
import { realmodeVariables } from './arch/x86/realmode/rmpiggy.js';
import { realmodeInit } from './arch/x86/realmode/init.js';
import { rootfsState } from './include/linux/fs.js';
import { screenInfoVariables } from './include/uapi/linux/screen_info.js';
import { setupOptions } from './arch/x86/kernel/setup/params.js';
import { setupData } from './arch/x86/kernel/setup/setup-data.js';
import { kexecVariables, relocateKernel } from './arch/x86/kernel/relocate_kernel_64.js';
import { setup, setupState } from './arch/x86/kernel/setup/setup.js';
import { smp } from './kernel/smp.js';
import { smpOptions } from './arch/x86/kernel/smpboot/params.js';
import { cpuC, cpuOnlineVariables } from './kernel/cpu.js';
import { smpVariables } from './arch/x86/kernel/cpu/common/masks.js';
import { smpboot } from './arch/x86/kernel/smpboot/smpboot.js';
import { runtimeState, type KernelState } from '../kernel/state.js';
import { swiotlbDma } from './lib/swiotlb/dma.js';
import { swiotlb, swiotlbVariables } from './lib/swiotlb/swiotlb.js';
import { iommuHelper } from './lib/iommu-helper.js';
import { startSecondary } from './arch/x86/kernel/smpboot/start-secondary.js';
import { kernelFile, type Complete, type KernelFile } from '../kernel/table.js';
import { trampoline } from './arch/x86/realmode/rm/trampoline_64.js';
import { verifyCpu } from './arch/x86/kernel/verify_cpu.js';
import type { Variable } from '../kernel/variables.js';
import { vgacon } from './drivers/video/console/vgacon.js';
import { vgaHeader } from './arch/x86/include/asm/vga.js';
import { vt } from './drivers/tty/vt/vt.js';
import { dummycon } from './drivers/video/console/dummycon.js';
import { extable } from './arch/x86/mm/extable.js';
import { asmPage } from './arch/x86/include/asm/page.js';
import { bootparamUtils } from './arch/x86/include/asm/bootparam_utils.js';
import { kasanInit64 } from './arch/x86/mm/kasan_init_64.js';
import { asmDesc } from './arch/x86/include/asm/desc.js';
import { mtrrMain, mtrrState } from './arch/x86/kernel/cpu/mtrr/main.js';
import { cacheMode, cacheModeVariables } from './arch/x86/mm/init/cache-mode.js';
import { setupNx } from './arch/x86/mm/setup_nx.js';
import { ioApic } from './arch/x86/kernel/apic/io_apic.js';
import { fixmap } from './include/asm-generic/fixmap.js';
import { asmPgtable } from './arch/x86/include/asm/pgtable.js';
import { asmApic } from './arch/x86/include/asm/apic.js';
import { pgtable } from './arch/x86/mm/pgtable.js';
import { setPte } from './arch/x86/mm/init_64/set-pte.js';
import { asmPgalloc } from './arch/x86/include/asm/pgalloc.js';
import { tlb } from './arch/x86/mm/tlb.js';
import { asmBiosEbda } from './arch/x86/include/asm/bios_ebda.js';
import { entry64 } from './arch/x86/entry/entry_64.js';
import { asmIo } from './arch/x86/include/asm/io.js';
import { asmCpufeature } from './arch/x86/include/asm/cpufeature.js';
import { scattered } from './arch/x86/kernel/cpu/scattered.js';
import { microcodeAmd } from './arch/x86/kernel/cpu/microcode/amd.js';
import { earlycpio } from './lib/earlycpio.js';
import { head } from './arch/x86/kernel/head.js';
import { dumpstack } from './arch/x86/kernel/dumpstack.js';
import { traps, trapsState } from './arch/x86/kernel/traps.js';
import { panic } from './kernel/panic.js';
import { asmBug } from './arch/x86/include/asm/bug.js';
import { setupBrk } from './arch/x86/kernel/setup/brk.js';
import { setupE820 } from './arch/x86/kernel/setup/e820.js';
import { setupEfiBoot } from './arch/x86/kernel/setup/efi-boot.js';
import { efi64Kexec } from './arch/x86/platform/efi/efi_64/kexec.js';
import { efiQuirksKexec } from './arch/x86/platform/efi/quirks/kexec.js';
import { efiOldMap64 } from './arch/x86/platform/efi/efi_64/old-map.js';
import { efiFirmwareOptions } from './drivers/firmware/efi/efi/params.js';
import { libIoremap } from './lib/ioremap.js';
import { memremapFile } from './kernel/memremap.js';
import { resource, resourceState } from './kernel/resource.js';
import { acpiBus } from './drivers/acpi/bus.js';
import { acpiTablesC } from './drivers/acpi/tables.js';
import { asmAcpi } from './arch/x86/include/asm/acpi.js';
import { processor } from './arch/x86/include/asm/processor.js';
import { mpf } from './arch/x86/kernel/mpparse/mpf.js';
import { pgtBuf } from './arch/x86/mm/init/pgt-buf.js';
import { mmInternal } from './arch/x86/mm/mm_internal.js';
import { initcallKvm } from './init/main/initcall-kvm.js';
import { acpiMapTable } from './arch/x86/kernel/acpi/boot/map-table.js';
import { acpiRoot } from './drivers/acpi/acpica/tbxfroot.js';
import { acpiGetTable } from './drivers/acpi/acpica/tbxface.js';
import { pciHeader } from './include/linux/pci.js';
import { amdIommuDmaOpsInit } from './drivers/iommu/amd_iommu/dma-ops-init.js';
import { irq } from './arch/x86/kernel/irq.js';
import { ttyIo } from './drivers/tty/tty_io.js';
import { vtKern } from './include/linux/vt_kern.js';
import { vtBuffer } from './include/linux/vt_buffer.js';
import { ofHeader } from './include/linux/of.js';
import { ofBase } from './drivers/of/base.js';
import { devicetreeAlloc } from './arch/x86/kernel/devicetree/alloc.js';
import { bootmem } from './include/linux/bootmem.js';
import { nobootmem } from './mm/nobootmem.js';
import { gfpHeader } from './include/linux/gfp.js';
import { memory, memoryState } from './mm/memory.js';
import { open } from './fs/open.js';
import { unpackToRootfs } from './init/initramfs/unpack-to-rootfs.js';
import { initrdMem } from './arch/x86/mm/init/initrd.js';
import { kexec } from './kernel/kexec.js';
import { initcalls } from './init/main/initcalls.js';
import { amdIommuSteps } from './drivers/iommu/amd_iommu_init/steps.js';
import { amdIommuProto } from './drivers/iommu/amd_iommu_proto.js';

const HEAD_64_S = 'arch/x86/kernel/head_64.S';
const HEAD64_C = 'arch/x86/kernel/head64.c';
const MACHINE_KEXEC_64_C = 'arch/x86/kernel/machine_kexec_64.c';
const CPU_COMMON_C = 'arch/x86/kernel/cpu/common.c';
const PAT_C = 'arch/x86/mm/pat.c';
const IOREMAP_C = 'arch/x86/mm/ioremap.c';
const E820_C = 'arch/x86/kernel/e820.c';
const SETUP_C = 'arch/x86/kernel/setup.c';
const INIT_64_C = 'arch/x86/mm/init_64.c';
const MAIN_C = 'init/main.c';
const EFI_C = 'arch/x86/platform/efi/efi.c';
const FIRMWARE_EFI_C = 'drivers/firmware/efi/efi.c';
const QUIRKS_C = 'arch/x86/platform/efi/quirks.c';
const EFI_64_C = 'arch/x86/platform/efi/efi_64.c';
const SMPBOOT_C = 'arch/x86/kernel/smpboot.c';
const APIC_C = 'arch/x86/kernel/apic/apic.c';
const X86_C = 'arch/x86/kvm/x86.c';
const PAGEATTR_C = 'arch/x86/mm/pageattr.c';
const AMD_IOMMU_C = 'drivers/iommu/amd_iommu.c';
const AMD_IOMMU_INIT_C = 'drivers/iommu/amd_iommu_init.c';
const INITRAMFS_C = 'init/initramfs.c';
const INIT_C = 'arch/x86/mm/init.c';
const MPPARSE_C = 'arch/x86/kernel/mpparse.c';
const MPSPEC_H = 'arch/x86/include/asm/mpspec.h';
const ACPI_BOOT_C = 'arch/x86/kernel/acpi/boot.c';
const DEVICETREE_C = 'arch/x86/kernel/devicetree.c';

/** Functions that boot steps enter by name although the table has no body for them, and their files. */
export const ENTRY_POINTS: Readonly<Record<string, string>> = {
  startup_64: HEAD_64_S,
  early_idt_handler_array: HEAD_64_S,
  x86_64_start_kernel: HEAD64_C,
  start_kernel: MAIN_C,
  setup_arch: SETUP_C,
  machine_kexec: MACHINE_KEXEC_64_C,
  secondary_startup_64: HEAD_64_S,
  start_secondary: SMPBOOT_C,
  cpu_init: CPU_COMMON_C,
};

/**
 * Rows are in the order of their functions in the text of the built-in image: a file whose functions are not contiguous
 * has a row per module. A name is listed at the file that defines it in 4.6.5; a name with a colon, at the file of the part
 * before the colon.
 *
 * Names that no kernel file defines are listed at the file that uses them (our choice): `halt`, where assembly stops the
 * CPU; `boot_params:e820_map` and `setup_data:memremap`, accesses to data; `svm_set_segment_base` and `kvm_mmu_zap_all`,
 * each a part of an ioctl. `init_cache_modes` and `__init_cache_modes` are the names of the series' base commit; 4.6.5 has
 * pat_init_cache_modes(). `pa_startup_32` and `pa_startup_64` are made from the labels by arch/x86/realmode/rm/Makefile.
 */
const files = [
  kernelFile(HEAD_64_S, head_64),
  kernelFile('arch/x86/mm/extable.c', extable),
  kernelFile('arch/x86/kernel/verify_cpu.S', verifyCpu),
  kernelFile(HEAD64_C, head64),
  kernelFile('arch/x86/include/asm/page.h', asmPage),
  kernelFile('arch/x86/include/asm/bootparam_utils.h', bootparamUtils),
  kernelFile('arch/x86/mm/kasan_init_64.c', kasanInit64),
  kernelFile('arch/x86/include/asm/desc.h', asmDesc),
  kernelFile('arch/x86/lib/cmdline.c', cmdline),
  kernelFile('arch/x86/include/asm/pgtable_types.h', pgtableTypes),
  kernelFile('include/asm-generic/fixmap.h', fixmap),
  kernelFile('arch/x86/include/asm/pgtable.h', asmPgtable),
  kernelFile('arch/x86/include/asm/processor.h', processor),
  kernelFile(PAT_C, pat),
  kernelFile('arch/x86/kernel/cpu/mtrr/main.c', mtrrMain),
  kernelFile(INIT_C, cacheMode),
  kernelFile('arch/x86/kernel/cpu/mtrr/generic.c', mtrr),
  kernelFile(IOREMAP_C, ioremap),
  kernelFile('mm/early_ioremap.c', early_ioremap),
  kernelFile(CPU_COMMON_C, cpuCommon),
  kernelFile('arch/x86/include/asm/cpufeature.h', asmCpufeature),
  kernelFile('arch/x86/kernel/cpu/scattered.c', scattered),
  kernelFile('arch/x86/kernel/cpu/microcode/core.c', microcode),
  kernelFile('arch/x86/kernel/cpu/microcode/amd.c', microcodeAmd),
  kernelFile('lib/earlycpio.c', earlycpio),
  kernelFile('mm/memblock.c', memblock),
  kernelFile('include/linux/bootmem.h', bootmem),
  kernelFile(E820_C, e820),
  kernelFile(SETUP_C, setup),
  kernelFile('arch/x86/kernel/head.c', head),
  kernelFile('arch/x86/kernel/traps.c', traps),
  kernelFile('arch/x86/kernel/dumpstack.c', dumpstack),
  kernelFile('kernel/panic.c', panic),
  kernelFile('arch/x86/include/asm/bug.h', asmBug),
  kernelFile(SETUP_C, setupBrk),
  kernelFile(SETUP_C, setupE820),
  kernelFile(SETUP_C, setupEfiBoot),
  kernelFile(INIT_C, pgtBuf),
  kernelFile('arch/x86/mm/mm_internal.h', mmInternal),
  kernelFile(INIT_C, init),
  kernelFile(INIT_64_C, init_64),
  kernelFile('arch/x86/include/asm/pgalloc.h', asmPgalloc),
  kernelFile(MAIN_C, { ...main, ...initcalls }),
  kernelFile('arch/x86/mm/fault.c', fault),
  kernelFile(INITRAMFS_C, initramfs),
  kernelFile(INIT_C, initrdMem),
  kernelFile(INITRAMFS_C, unpackToRootfs),
  kernelFile('init/do_mounts.c', doMounts),
  kernelFile('fs/exec.c', exec),
  kernelFile('fs/open.c', open),
  kernelFile('mm/mmap.c', mmap),
  kernelFile('mm/memory.c', memory),
  kernelFile(SETUP_C, setupData),
  kernelFile(EFI_C, efi),
  kernelFile('include/linux/efi.h', efiMemmap),
  kernelFile(FIRMWARE_EFI_C, efiFirmware),
  kernelFile('drivers/firmware/efi/esrt.c', efiEsrt),
  kernelFile(QUIRKS_C, efiQuirks),
  kernelFile(EFI_64_C, efi64),
  kernelFile(EFI_C, efiVirtualMode),
  kernelFile('arch/x86/platform/efi/efi_stub_64.S', efiStub),
  kernelFile('arch/x86/include/asm/efi.h', efiHeader),
  kernelFile('drivers/firmware/efi/runtime-wrappers.c', runtimeWrappers),
  kernelFile(QUIRKS_C, efiDummy),
  kernelFile('arch/x86/platform/efi/efi-bgrt.c', efiBgrt),
  kernelFile(EFI_C, efiKexec),
  kernelFile(EFI_64_C, efi64Kexec),
  kernelFile(QUIRKS_C, efiQuirksKexec),
  kernelFile('arch/x86/pci/i386.c', pciI386),
  kernelFile('drivers/pci/setup-res.c', pciResources),
  kernelFile('drivers/pci/pci.c', pciIomap),
  kernelFile(IOREMAP_C, ioremapLate),
  kernelFile('lib/ioremap.c', libIoremap),
  kernelFile('kernel/memremap.c', memremapFile),
  kernelFile('kernel/resource.c', resource),
  kernelFile('drivers/firmware/dmi_scan.c', dmiScan),
  kernelFile('arch/x86/kernel/probe_roms.c', probeRoms),
  kernelFile(MPSPEC_H, findSmpConfig),
  kernelFile(MPPARSE_C, mpf),
  kernelFile(MPSPEC_H, getSmpConfig),
  kernelFile('arch/x86/include/asm/io.h', asmIo),
  kernelFile(MPPARSE_C, mpc),
  kernelFile('arch/x86/include/asm/bios_ebda.h', asmBiosEbda),
  kernelFile('arch/x86/realmode/init.c', realmodeInit),
  kernelFile(ACPI_BOOT_C, acpiBoot),
  kernelFile('drivers/acpi/bus.c', acpiBus),
  kernelFile('drivers/acpi/tables.c', acpiTablesC),
  kernelFile('arch/x86/include/asm/acpi.h', asmAcpi),
  kernelFile('drivers/acpi/acpica/tbutils.c', acpiTables),
  kernelFile('drivers/acpi/acpica/tbxface.c', acpiGetTable),
  kernelFile('drivers/acpi/acpica/tbxfroot.c', acpiRoot),
  kernelFile('drivers/acpi/osl.c', acpiOsl),
  kernelFile(ACPI_BOOT_C, acpiMapTable),
  kernelFile(DEVICETREE_C, devicetree),
  kernelFile('drivers/of/fdt.c', ofFdt),
  kernelFile(DEVICETREE_C, devicetreeAlloc),
  kernelFile('drivers/of/base.c', ofBase),
  kernelFile('include/linux/of.h', ofHeader),
  kernelFile('arch/x86/include/asm/dma-mapping.h', asmDmaMapping),
  kernelFile('include/linux/dma-mapping.h', dmaMapping),
  kernelFile('arch/x86/pci/legacy.c', pciLegacy),
  kernelFile('arch/x86/kernel/pci-dma.c', pciDma),
  kernelFile('arch/x86/kernel/pci-nommu.c', pciNommu),
  kernelFile('arch/x86/kernel/pci-swiotlb.c', pciSwiotlb),
  kernelFile('lib/swiotlb.c', { ...swiotlb, ...swiotlbDma }),
  kernelFile('lib/iommu-helper.c', iommuHelper),
  kernelFile('kernel/printk/printk.c', printk),
  kernelFile(MAIN_C, earlyParam),
  kernelFile('arch/x86/kernel/early_printk.c', earlyPrintk),
  kernelFile('drivers/tty/vt/vt.c', vt),
  kernelFile('include/linux/vt_buffer.h', vtBuffer),
  kernelFile('include/linux/vt_kern.h', vtKern),
  kernelFile('drivers/tty/tty_io.c', ttyIo),
  kernelFile('drivers/video/console/dummycon.c', dummycon),
  kernelFile('drivers/video/console/vgacon.c', vgacon),
  kernelFile('arch/x86/include/asm/vga.h', vgaHeader),
  kernelFile(SMPBOOT_C, { ...smpboot, ...startSecondary }),
  kernelFile(APIC_C, apic),
  kernelFile('arch/x86/include/asm/apic.h', asmApic),
  kernelFile('arch/x86/mm/pgtable.c', pgtable),
  kernelFile(INIT_64_C, setPte),
  kernelFile('arch/x86/realmode/rm/trampoline_64.S', trampoline),
  kernelFile('drivers/base/dd.c', drivers),
  kernelFile(X86_C, kvm),
  kernelFile(MAIN_C, initcallKvm),
  kernelFile('virt/kvm/kvm_main.c', kvmMain),
  kernelFile('arch/x86/kvm/mmu.c', kvmMmu),
  kernelFile('arch/x86/kvm/svm.c', { ...kvmSvm, ...kvmExit }),
  kernelFile(X86_C, kvmEmulate),
  kernelFile('user space', kvmVmm),
  kernelFile(MACHINE_KEXEC_64_C, machineKexec),
  kernelFile('kernel/kexec_core.c', kexecCore),
  kernelFile('kernel/kexec.c', kexec),
  kernelFile(INIT_64_C, identMap),
  kernelFile('arch/x86/kernel/relocate_kernel_64.S', relocateKernel),
  kernelFile(PAGEATTR_C, pageattr),
  kernelFile('arch/x86/kernel/espfix_64.c', espfix_64),
  kernelFile('arch/x86/entry/entry_64.S', entry64),
  kernelFile(PAGEATTR_C, { ...pageattrFlush, ...pageattrSplit, ...pageattrPgd }),
  kernelFile('kernel/cpu.c', cpuC),
  kernelFile('kernel/smp.c', smp),
  kernelFile('mm/page_alloc.c', pageAlloc),
  kernelFile('include/linux/gfp.h', gfpHeader),
  kernelFile('mm/nobootmem.c', nobootmem),
  kernelFile(AMD_IOMMU_C, {
    ...amdIommuCmd,
    ...amdIommuEvent,
    ...amdIommuPgtable,
    ...amdIommuDomain,
    ...amdIommuDma,
  }),
  kernelFile('drivers/iommu/amd_iommu_proto.h', amdIommuProto),
  kernelFile('drivers/iommu/amd_iommu_types.h', amdIommuTypes),
  kernelFile('arch/x86/kernel/irq.c', irq),
  kernelFile(AMD_IOMMU_INIT_C, { ...amdIommuHw, ...amdIommuIvrs, ...amdIommuSteps }),
  kernelFile(AMD_IOMMU_C, amdIommuDmaOpsInit),
  kernelFile(AMD_IOMMU_INIT_C, amdIommuInit),
  kernelFile('include/linux/pci.h', pciHeader),
  kernelFile(AMD_IOMMU_C, amdIommuIdentity),
  kernelFile('drivers/iommu/iommu.c', iommuCore),
  kernelFile(APIC_C, apicC),
  kernelFile(E820_C, e820Options),
  kernelFile(SETUP_C, setupOptions),
  kernelFile('arch/x86/mm/setup_nx.c', setupNx),
  kernelFile(PAT_C, patOptions),
  kernelFile(APIC_C, apicOptions),
  kernelFile('arch/x86/kernel/apic/io_apic.c', ioApic),
  kernelFile(SMPBOOT_C, smpOptions),
  kernelFile(EFI_C, efiOptions),
  kernelFile(FIRMWARE_EFI_C, efiFirmwareOptions),
  kernelFile(EFI_C, efiOldMap),
  kernelFile(EFI_64_C, efiOldMap64),
  kernelFile('arch/x86/mm/tlb.c', tlb),
] as const;
export const BASE_FILES: readonly KernelFile[] = files satisfies Complete<typeof files>;

export const BASE_VARIABLES: readonly Variable[] = [
  ...head64Variables,
  ...pgtableVariables,
  ...cacheModeVariables,
  ...ioremapVariables,
  ...cpuVariables,
  ...initrdVariables,
  ...mmapVariables,
  ...ofVariables,
  ...espfixVariables,
  ...efiRuntimeVariables,
  ...nommuVariables,
  ...pciDmaVariables,
  ...pciSwiotlbVariables,
  ...swiotlbVariables,
  ...screenInfoVariables,
  ...amdIommuVariables,
  ...amdIommuDmaVariables,
  ...kvmMmuVariables,
  ...kexecVariables,
  ...realmodeVariables,
  ...smpVariables,
  ...cpuOnlineVariables,
  ...gdtVariables,
];

/**
 * The state of a kernel that has not run yet: the slices of all files. A member of `KernelState` that no slice defines is
 * a compile error.
 */
export const freshState = (): KernelState => ({
  ...runtimeState(),
  ...head_64State(),
  ...cpuState(),
  ...patState(),
  ...mtrrState(),
  ...e820State(),
  ...earlyIoremapState(),
  ...memblockState(),
  ...initMmState(),
  ...setupState(),
  ...pageState(),
  ...vmallocState(),
  ...memoryState(),
  ...consoleState(),
  ...paramState(),
  ...mainState(),
  ...trapsState(),
  ...rootfsState(),
  ...microcodeState(),
  ...efiState(),
  ...dmiState(),
  ...acpiState(),
  ...madtState(),
  ...mpState(),
  ...romsState(),
  ...resourceState(),
  ...pciState(),
  ...pciDmaState(),
  ...amdIommuState(),
  ...guestState(),
  ...kvmState(),
  ...kexecState(),
});
