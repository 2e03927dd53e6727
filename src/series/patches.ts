/** The patches that have modules, in the order of the series; rooms hold their parts. */
import { cpuFeature } from '../early-boot/cpu-feature.js';
import { generalEarlyBoot } from '../early-boot/general.js';
import { kconfig } from '../early-boot/kconfig.js';
import { physBits } from '../early-boot/phys-bits.js';
import { smeMask } from '../early-boot/sme-mask.js';
import { turnOn } from '../early-boot/turn-on.js';
import { bootData } from '../initrd/boot-data.js';
import { earlyEncrypt } from '../initrd/early-encrypt.js';
import { efiTables } from '../efi/efi.js';
import { efiSetupData } from '../efi/setup-data.js';
import { setMemory } from '../efi/set-memory.js';
import { trampolineDecrypt } from '../realmode/trampoline-decrypt.js';
import { deviceTree } from '../devicetree/devicetree.js';
import { dma } from '../dma/dma.js';
import { amdIommu } from '../iommu/amd-iommu.js';
import { trampolineFlags } from '../realmode/trampoline-flags.js';
import { vga } from '../vga/vga.js';
import { kvmMmu } from '../kvm/mmu.js';
import { pageAttr } from '../pgtable/page-attr.js';
import { espfixStack } from '../pgtable/espfix.js';
import { kexecMap } from '../pgtable/kexec.js';
import type { Alternative, Hunk, PatchPart } from '../kernel/hunk.js';
import { earlyMemremap } from '../pgtable/early-memremap.js';
import { general } from '../pgtable/general.js';
import { patWriteProtect } from '../pgtable/pat-write-protect.js';
import { protectionMap } from '../protmap/protection-map.js';
import { msrIndex } from '../realmode/msr-index.js';

/** Patches in the series. */
export const LAST_STAGE = 18;
/** The patch that turns encryption on. */
export const TURN_ON = 18;

const PARTS: readonly PatchPart[] = [
  patWriteProtect,
  kconfig,
  smeMask,
  cpuFeature,
  physBits,
  generalEarlyBoot,
  protectionMap,
  general,
  earlyMemremap,
  earlyEncrypt,
  bootData,
  msrIndex,
  efiTables,
  efiSetupData,
  setMemory,
  trampolineDecrypt,
  deviceTree,
  dma,
  amdIommu,
  trampolineFlags,
  vga,
  kvmMmu,
  pageAttr,
  espfixStack,
  kexecMap,
  turnOn,
];

/** Every hunk of one patch, parts from several rooms together. */
export function hunksOf(patch: number): readonly Hunk[] {
  return PARTS.filter((part) => part.patch === patch).flatMap((part) => part.hunks);
}

/** All hunks of the series, in order. */
export function allHunks(): readonly Hunk[] {
  return Array.from({ length: LAST_STAGE }, (_, i) => hunksOf(i + 1)).flat();
}

/** What may come in the place of hunks, or on top of the series, in the order of the patches. */
export function alternatives(): readonly Alternative[] {
  const all = PARTS.flatMap((part) => part.alternatives ?? []);
  return all.sort((a, b) => patchOf(a) - patchOf(b));
}

/** The number of the patch that a hunk belongs to. */
export function patchOf(hunk: Hunk): number {
  return Number(hunk.id.slice(0, 2));
}
