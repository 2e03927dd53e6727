/**
 * One call of a runtime service, as the service's code sees it: its own code and data relative to RIP, its arguments in
 * the caller's frame, all accessed through the CPU. A fault ends the call ({@link Trap}).
 */
import { vaAdd, vaOfU64, type Va } from '../../machine/address.js';
import type { Cpu } from '../../machine/cpu/cpu.js';
import { generalProtection, isFault } from '../../machine/cpu/fault.js';
import { VECTOR, type Fault } from '../../machine/types.js';
import { RUNTIME_CODE_SIZE, SERVICE_OFFSET, SERVICE_SIZE, serviceCode } from './runtime-image.js';
import type { RuntimeServiceName } from './tables.js';

/** Thrown to leave a service at a fault of the CPU. */
export class Trap extends Error {
  constructor(readonly fault: Fault) {
    super(fault.why);
  }
}

const SLOT = 8;
const NUL_SIZE = 2;

export class RuntimeCall {
  /** Address of the image: the entry point minus the service's offset. */
  readonly image: Va;
  /** Address of the driver's data, which follows the code and is addressed relative to it. */
  readonly data: Va;

  /** @param home address of the arguments in the caller's frame, a slot of 8 bytes each. */
  constructor(
    readonly cpu: Cpu,
    readonly service: RuntimeServiceName,
    entry: Va,
    private readonly home: Va,
  ) {
    this.image = vaAdd(entry, -SERVICE_OFFSET[service]);
    this.data = vaAdd(this.image, RUNTIME_CODE_SIZE);
  }

  /** An argument by its number. */
  arg(index: number): bigint {
    return this.u64(vaAdd(this.home, index * SLOT));
  }

  /** Checks that the bytes at a service's address are its code (our choice: other bytes raise #UD). */
  execute(name: RuntimeServiceName): void {
    const at = vaAdd(this.image, SERVICE_OFFSET[name]);
    const found = new Uint8Array(SERVICE_SIZE);
    this.trapOn(this.cpu.fetch(at, found));
    const code = serviceCode(name);
    if (found.some((byte, index) => byte !== code[index])) {
      throw new Trap({ vector: VECTOR.UD, error: 0, why: `code is not ${name}` });
    }
  }

  /** A pointer as an address; one that is not canonical is a #GP (APM 1.1.3). */
  address(pointer: bigint): Va {
    const at = vaOfU64(pointer);
    if (at === undefined) throw new Trap(generalProtection('pointer not canonical', pointer));
    return at;
  }

  u8(at: Va): number {
    return this.value(this.cpu.loadU8(at));
  }
  u16(at: Va): number {
    return this.value(this.cpu.loadU16(at));
  }
  u32(at: Va): number {
    return this.value(this.cpu.loadU32(at));
  }
  u64(at: Va): bigint {
    return this.value(this.cpu.loadU64(at));
  }
  bytes(at: Va, length: number): Uint8Array {
    const out = new Uint8Array(length);
    this.trapOn(this.cpu.read(at, out));
    return out;
  }
  put(at: Va, bytes: Uint8Array): void {
    this.trapOn(this.cpu.write(at, bytes));
  }
  putU8(at: Va, value: number): void {
    this.trapOn(this.cpu.storeU8(at, value));
  }
  putU32(at: Va, value: number): void {
    this.trapOn(this.cpu.storeU32(at, value));
  }
  putU64(at: Va, value: bigint): void {
    this.trapOn(this.cpu.storeU64(at, value));
  }

  /** A UCS-2 string with its NUL; undefined if the NUL is not within `limit` bytes. */
  ucs2(at: Va, limit: number): Uint8Array | undefined {
    for (let length = NUL_SIZE; length <= limit; length += NUL_SIZE) {
      if (this.u16(vaAdd(at, length - NUL_SIZE)) === 0) return this.bytes(at, length);
    }
    return undefined;
  }

  /** Throws a {@link Trap} for a fault. */
  trapOn(fault: Fault | null): void {
    if (fault !== null) throw new Trap(fault);
  }
  private value<T extends number | bigint>(result: T | Fault): T {
    if (isFault(result)) throw new Trap(result);
    return result;
  }
}
