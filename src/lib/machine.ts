/**
 * `sme-boot/machine`: the simulated machine without any kernel. DRAM behind its memory encryption engine, cache, CPUs
 * with page tables and TLBs, MSRs, IOMMU, devices. Runs in a browser. Addresses are `Pa` and `Va`, numbers in bytes with a
 * brand: `pa()` and `va()` make them.
 */
export { InputError, type InputErrorDetails, type Place as InputPlace } from '../base/errors.js';
export * from '../machine/address.js';
export * from '../machine/types.js';
export {
  Bus,
  type BusResult,
  type Device,
  type PortRange,
  type UpstreamPort,
} from '../machine/bus.js';
export { Machine, type MachineConfig, type MachineSnapshot } from '../machine/machine.js';
export { UnmodelledError } from '../machine/unmodelled.js';
export { Cache, type CacheConfig } from '../machine/cache/cache.js';
export { Cpu, isFault, type Translation } from '../machine/cpu/cpu.js';
export { CPU_MODELS } from '../machine/cpu/cpu-models.js';
export { type CpuModel, type SmeModel, type SvmModel } from '../machine/cpu/cpuid.js';
export { MEMTYPE_NAMES, patTypes } from '../machine/cpu/memory-types.js';
export { ENTRY, type DecodedEntry, type WalkStep } from '../machine/cpu/mmu.js';
export { MSR, SYSCFG, type MsrName } from '../machine/cpu/msr.js';
export { type MtrrConfig } from '../machine/cpu/mtrr.js';
export {
  bitNames,
  CR0,
  CR4,
  EFER,
  GENERAL_REGISTERS,
  type GeneralRegister,
} from '../machine/cpu/registers.js';
export { DmaDevice, type DmaDeviceConfig } from '../machine/devices/dma-device.js';
export { LocalApic } from '../machine/devices/local-apic.js';
export { SecureProcessor } from '../machine/devices/secure-processor.js';
export { VgaAdapter } from '../machine/devices/vga.js';
export { AmdIommu, type AmdIommuConfig } from '../machine/iommu/amd-iommu.js';
export { Dram, type DramRange, type DramState } from '../machine/memory/dram.js';
export {
  MemoryEngine,
  type EngineDescription,
  type EngineMode,
  type EngineOptions,
} from '../machine/memory/engine.js';
export { nobleCipher } from '../machine/memory/noble-cipher.js';
