/** The kernel at the base commit: its files, its variables and the names that have addresses. */
import { acpiBoot, acpiBus, madtState } from './acpi-boot.js';
import { acpiOsl, acpiState, acpiTables } from './acpi-tables.js';
import { amdIommuCmd } from './amd-iommu-cmd.js';
import { amdIommuDma, amdIommuDmaVariables } from './amd-iommu-dma.js';
import { amdIommuDomain } from './amd-iommu-domain.js';
import { amdIommuEvent } from './amd-iommu-event.js';
import { amdIommuHw } from './amd-iommu-hw.js';
import { amdIommuIdentity, iommuCore } from './amd-iommu-identity.js';
import { amdIommuInit, apicC } from './amd-iommu-init.js';
import { amdIommuIvrs } from './amd-iommu-ivrs.js';
import { amdIommuPgtable } from './amd-iommu-pgtable.js';
import { amdIommuState, amdIommuVariables } from './amd-iommu-types.js';
import { apicOptions, ioApicOptions } from './apic-params.js';
import { apic, pgtable } from './apic.js';
import { cmdline } from './cmdline.js';
import { consoleState } from './console-state.js';
import { cpuCommon, cpuState, cpuVariables, scattered } from './cpu-common.js';
import { devicetree } from './devicetree.js';
import { ofFdt, ofVariables } from './of-fdt.js';
import { asmDmaMapping, dmaMapping } from './dma-mapping.js';
import { doMounts } from './do-mounts.js';
import { dmiScan, dmiState } from './dmi-scan.js';
import { drivers } from './drivers.js';
import { e820Options } from './e820-params.js';
import { e820, e820State } from './e820.js';
import { early_ioremap, earlyIoremapState, ioremap, ioremapVariables } from './early-ioremap.js';
import { efi64 } from './efi-64.js';
import { efiBgrt } from './efi-bgrt.js';
import { efiEsrt } from './efi-esrt.js';
import { efiFirmware } from './efi-firmware.js';
import { efiOldMap, efiOldMap64 } from './efi-old-map.js';
import { efiFirmwareOptions, efiOptions } from './efi-params.js';
import { efi64Kexec, efiKexec, efiQuirksKexec } from './efi-kexec.js';
import { efiMemmap } from './efi-memmap.js';
import { efiQuirks } from './efi-quirks.js';
import {
  efiDummy,
  efiHeader,
  efiRuntimeVariables,
  efiStub,
  runtimeWrappers,
} from './efi-runtime.js';
import { efiState } from './efi-types.js';
import { efiVirtualMode } from './efi-virtual-mode.js';
import { earlyParam } from './early-param.js';
import { earlyPrintk } from './early-printk.js';
import { efi } from './efi.js';
import { espfix_64, espfixVariables } from './espfix-64.js';
import { exec } from './exec.js';
import { head64 } from './head64.js';
import { gdtVariables, head64Variables } from './head_64-data.js';
import { head_64, head_64State } from './head_64.js';
import { init, initMmState, processor } from './init.js';
import { init_64 } from './init_64.js';
import { identMap } from './ident-map.js';
import { initramfs, initramfsVariables } from './initramfs.js';
import { ioremapLate, libIoremap, memremapFile, vmallocState } from './ioremap.js';
import { kexecCore, kexecState } from './kexec-core.js';
import { guestState, kvm } from './kvm.js';
import { kvmEmulate } from './kvm-emulate.js';
import { kvmExit } from './kvm-exit.js';
import { kvmMain } from './kvm-main.js';
import { kvmMmu, kvmMmuVariables } from './kvm-mmu.js';
import { kvmState } from './kvm-state.js';
import { kvmSvm } from './kvm-svm.js';
import { kvmVmm } from './kvm-vmm.js';
import { machineKexec } from './machine-kexec.js';
import { fault, main, mainState } from './main.js';
import { memblock, memblockState } from './memblock.js';
import { earlycpio, microcode, microcodeAmd, microcodeState } from './microcode.js';
import { patOptions, setupNx } from './mm-params.js';
import { mmap, mmapState, mmapVariables } from './mmap.js';
import { mpState } from './mpparse-types.js';
import { mpparse } from './mpparse.js';
import { mtrr, mtrrState } from './mtrr.js';
import { pageAlloc, pageState } from './page-alloc.js';
import { pageattrFlush } from './pageattr-flush.js';
import { pageattrPgd } from './pageattr-pgd.js';
import { pageattrSplit } from './pageattr-split.js';
import { pageattr } from './pageattr.js';
import { paramState } from './param-types.js';
import { pat, patState, patVariables } from './pat.js';
import { pciDma, pciDmaState, pciDmaVariables } from './pci-dma.js';
import { nommuVariables, pciNommu } from './pci-nommu.js';
import { pciProbe, pciState } from './pci-probe.js';
import { pciI386, pciIomap, pciResources, resourceState } from './pci-resources.js';
import { pciSwiotlb, pciSwiotlbVariables } from './pci-swiotlb.js';
import { fixmap, pgtableTypes, pgtableVariables } from './pgtable-types.js';
import { printk } from './printk.js';
import { probeRoms, romsState } from './probe-roms.js';
import { realmodeVariables } from './realmode-blob.js';
import { realmodeInit } from './realmode-init.js';
import { rootfsState } from './rootfs-types.js';
import { screenInfoVariables } from './screen-info.js';
import { setupOptions } from './setup-params.js';
import { setupData } from './setup-data.js';
import { kexecVariables, relocateKernel } from './relocate-kernel.js';
import { ebda, setup, setupState, traps } from './setup.js';
import { smp } from './smp.js';
import { smpOptions } from './smp-params.js';
import { smpVariables } from './smp-masks.js';
import { smpboot } from './smpboot.js';
import { runtimeState, type KernelState } from './state.js';
import { swiotlbDma } from './swiotlb-dma.js';
import { iommuHelper, swiotlb, swiotlbVariables } from './swiotlb.js';
import { startSecondary } from './start-secondary.js';
import type { Complete, KernelFile } from './table.js';
import { trampoline } from './trampoline.js';
import { verifyCpu } from './verify-cpu.js';
import type { Variable } from './variables.js';
import { vgacon, vgaHeader } from './vgacon.js';
import { dummycon, vt } from './vt.js';

const files = [
  head_64,
  verifyCpu,
  head64,
  cmdline,
  pgtableTypes,
  fixmap,
  processor,
  pat,
  mtrr,
  ioremap,
  early_ioremap,
  cpuCommon,
  scattered,
  microcode,
  microcodeAmd,
  earlycpio,
  memblock,
  e820,
  setup,
  ebda,
  traps,
  init,
  init_64,
  main,
  fault,
  initramfs,
  doMounts,
  exec,
  mmap,
  setupData,
  efi,
  efiMemmap,
  efiFirmware,
  efiEsrt,
  efiQuirks,
  efi64,
  efiVirtualMode,
  efiStub,
  efiHeader,
  runtimeWrappers,
  efiDummy,
  efiBgrt,
  efiKexec,
  efi64Kexec,
  efiQuirksKexec,
  pciI386,
  pciResources,
  pciIomap,
  ioremapLate,
  libIoremap,
  memremapFile,
  dmiScan,
  probeRoms,
  mpparse,
  realmodeInit,
  acpiBoot,
  acpiBus,
  acpiTables,
  acpiOsl,
  devicetree,
  ofFdt,
  asmDmaMapping,
  dmaMapping,
  pciProbe,
  pciDma,
  pciNommu,
  pciSwiotlb,
  swiotlb,
  swiotlbDma,
  iommuHelper,
  printk,
  earlyParam,
  earlyPrintk,
  vt,
  dummycon,
  vgacon,
  vgaHeader,
  smpboot,
  startSecondary,
  apic,
  pgtable,
  trampoline,
  drivers,
  kvm,
  kvmMain,
  kvmMmu,
  kvmSvm,
  kvmExit,
  kvmEmulate,
  kvmVmm,
  machineKexec,
  kexecCore,
  identMap,
  relocateKernel,
  pageattr,
  espfix_64,
  pageattrFlush,
  pageattrSplit,
  pageattrPgd,
  smp,
  pageAlloc,
  amdIommuCmd,
  amdIommuEvent,
  amdIommuPgtable,
  amdIommuDomain,
  amdIommuDma,
  amdIommuHw,
  amdIommuIvrs,
  amdIommuInit,
  amdIommuIdentity,
  iommuCore,
  apicC,
  e820Options,
  setupOptions,
  setupNx,
  patOptions,
  apicOptions,
  ioApicOptions,
  smpOptions,
  efiOptions,
  efiFirmwareOptions,
  efiOldMap,
  efiOldMap64,
] as const;
export const BASE_FILES: readonly KernelFile[] = files satisfies Complete<typeof files>;

export const BASE_VARIABLES: readonly Variable[] = [
  ...head64Variables,
  ...pgtableVariables,
  ...patVariables,
  ...ioremapVariables,
  ...cpuVariables,
  ...initramfsVariables,
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
  ...gdtVariables,
];

/**
 * The state of a kernel that has not run yet: every file's slice. A part of `KernelState` that no slice here gives is a
 * compile error.
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
  ...mmapState(),
  ...consoleState(),
  ...paramState(),
  ...mainState(),
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
