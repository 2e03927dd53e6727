/**
 * The permission maps of a guest, which the processor reads from memory when the guest executes RDMSR, WRMSR, IN or OUT
 * (APM 15.10, 15.11): a bit that is set intercepts the access. Their addresses in the VMCB are system physical ones, so
 * that with memory encryption on the C-bit of each selects the key (APM 15.34; our choice for the maps, which the section
 * does not name). Our choice: they are read at each access, nothing of them is cached.
 */
import { PAGE_SIZE, paAdd, type KeyId, type Pa } from '../address.js';
import type { CpuBus } from '../cpu/cpu-core.js';
import { rootOf, type PagingContext } from '../cpu/mmu.js';
import { MEMTYPE } from '../types.js';
import { VMCB_CONTROL, type VmcbView } from './vmcb.js';

/** Bytes of the I/O map: a bit a port, and those of the last ports' wider accesses (APM 15.10.1). */
export const IOPM_SIZE = 3 * PAGE_SIZE;
/** Bytes of the MSR map: four vectors of 2 KiB, the last one reserved (APM 15.11). */
export const MSRPM_SIZE = 2 * PAGE_SIZE;
export type PermissionMapName = 'IOPM' | 'MSRPM';

/** The first MSR of each vector; each has 2^13 MSRs of two bits, reads below writes (APM 15.11). */
const MSR_VECTORS = [0, 0xc000_0000, 0xc001_0000];
const MSRS = 0x2000;
const VECTOR_BYTES = 0x800;

/** A read of a permission map by the processor. */
export interface MapRead {
  readonly map: PermissionMapName;
  /** Offset of the bytes in the map. */
  readonly offset: number;
  readonly pa: Pa;
  readonly key: KeyId;
  readonly bytes: Uint8Array;
}

export class PermissionMaps {
  constructor(
    private readonly cpu: { readonly id: number },
    private readonly bus: CpuBus,
    private readonly host: PagingContext,
    private readonly vmcb: VmcbView,
  ) {}

  /** Whether the map intercepts an access to `bytes` ports from a port on: any of their bits is set (APM 15.10.1). */
  interceptsPorts(port: number, bytes: 1 | 2 | 4): boolean {
    const shift = port % 8;
    const last = Math.floor((port + bytes - 1) / 8);
    const first = Math.floor(port / 8);
    const read = this.read('IOPM', first, last - first + 1);
    const bits = ((read[0] ?? 0) | ((read[1] ?? 0) << 8)) >> shift;
    return (bits & ((1 << bytes) - 1)) !== 0;
  }

  /** Whether the map intercepts a read or write of an MSR; one outside its vectors is intercepted (APM 15.11). */
  interceptsMsr(msr: number, write: boolean): boolean {
    const vector = MSR_VECTORS.findIndex((first) => msr >= first && msr < first + MSRS);
    if (vector < 0) return true;
    const bit = (msr - (MSR_VECTORS[vector] ?? 0)) * 2 + (write ? 1 : 0);
    const [byte = 0] = this.read('MSRPM', vector * VECTOR_BYTES + Math.floor(bit / 8), 1);
    return ((byte >> (bit % 8)) & 1) !== 0;
  }

  private read(map: PermissionMapName, offset: number, length: number): Uint8Array {
    const address = this.vmcb.get(VMCB_CONTROL[`${map}_BASE_PA`]);
    // The processor ignores the address bits below a page (APM 15.10.1, 15.11).
    const { root, rootKey: key } = rootOf(this.host.format, address);
    const { cache, origin } = this.bus;
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; done++) {
      const at = paAdd(root, offset + done);
      cache.read(this.cpu.id, at, key, MEMTYPE.WB, bytes, done, 1, origin);
    }
    const at = paAdd(root, offset);
    const { permissionMapRead } = this.bus.probes;
    if (permissionMapRead.active) {
      permissionMapRead.notify(this.cpu.id, { map, offset, pa: at, key, bytes });
    }
    return bytes;
  }
}
