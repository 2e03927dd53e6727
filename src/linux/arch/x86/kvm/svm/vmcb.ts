/** Fields of the VMCB, read and written as the kernel does: through the direct map. */
import { va } from '../../../../../machine/address.js';
import type { VmcbField } from '../../../../../machine/svm/vmcb.js';
import { vcpuOf } from '../mmu.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

/** Value of a field of svm->vmcb; `bytes` is its width. */
export function vmcbField(k: Kernel, [offset, bytes]: VmcbField): bigint {
  const at = va(vcpuOf(k).vmcb + offset);
  if (bytes === 8) return k.readU64(at);
  if (bytes === 4) return BigInt(k.readU32(at));
  return BigInt(bytes === 2 ? k.readU16(at) : k.readU8(at));
}

export function setVmcbField(k: Kernel, [offset, bytes]: VmcbField, value: bigint): void {
  const at = va(vcpuOf(k).vmcb + offset);
  if (bytes === 8) k.writeU64(at, value);
  else if (bytes === 4) k.writeU32(at, Number(value));
  else if (bytes === 2) k.writeU16(at, Number(value));
  else k.writeU8(at, Number(value));
}
