/**
 * Runtime services of the firmware, called at an address through the translation in force. The bytes fetched there
 * determine which service runs; its state is in memory. A service has no access to its caller's tables, as a driver in
 * ROM has none.
 */
import { equalBytes } from '../../base/bytes.js';
import { InputError } from '../../base/errors.js';
import { alignDown, hex, va, vaAdd, type Va } from '../../machine/address.js';
import type { Cpu } from '../../machine/cpu/cpu.js';
import { isFault } from '../../machine/cpu/fault.js';
import { VECTOR, type Fault } from '../../machine/types.js';
import { UnmodelledError } from '../../machine/unmodelled.js';
import { RuntimeCall, Trap } from './runtime-call.js';
import {
  RUNTIME_DATA,
  RUNTIME_DATA_SIGNATURE,
  runtimePattern,
  serviceCode,
} from './runtime-image.js';
import { getVariable, setVariable } from './runtime-variables.js';
import { EFI_STATUS } from './status.js';
import { RUNTIME_SERVICE_NAMES, type RuntimeServiceName } from './tables.js';
import { setVirtualAddressMap } from './virtual-mode.js';

/** The outcome of a call: an EFI_STATUS, or a fault of the CPU, which firmware does not handle. */
export type RuntimeResult =
  | { readonly kind: 'status'; readonly service: RuntimeServiceName; readonly status: bigint }
  | {
      readonly kind: 'fault';
      readonly fault: Fault;
      /** The service that ran; undefined if its first bytes could not be fetched or are not a service's. */
      readonly service: RuntimeServiceName | undefined;
      /** The address that was called. */
      readonly entry: Va;
    };

/** The work of a service. Returns its EFI_STATUS. */
type Service = (call: RuntimeCall) => bigint;

/** Services that this firmware does not support at runtime (UEFI 2.8, 8: EFI_UNSUPPORTED). */
const unsupported: Service = () => EFI_STATUS.UNSUPPORTED;

/** A reset has no status to return (UEFI 8.5.1). */
const reset: Service = () => {
  throw new UnmodelledError('EFI ResetSystem()');
};

const SERVICES: Readonly<Record<RuntimeServiceName, Service>> = {
  GetTime: unsupported,
  SetTime: unsupported,
  GetWakeupTime: unsupported,
  SetWakeupTime: unsupported,
  SetVirtualAddressMap: setVirtualAddressMap,
  ConvertPointer: unsupported,
  GetVariable: getVariable,
  GetNextVariableName: unsupported,
  SetVariable: setVariable,
  GetNextHighMonotonicCount: unsupported,
  ResetSystem: reset,
  UpdateCapsule: unsupported,
  QueryCapsuleCapabilities: unsupported,
  QueryVariableInfo: unsupported,
};

/** Bytes of a service's code that identify it. */
const PROLOGUE = 16;
const SLOT = 8;
const STACK_ALIGN = 16;
/** Arguments passed in registers, each with a slot in the caller's frame as well (UEFI 2.3.4.2). */
const IN_REGISTERS = 4;
/** Slots of the caller's frame: six arguments, as in the kernel's efi_call. */
const ARGUMENTS = 6;

/**
 * Calls the service at an address with up to six arguments, by the calling convention of UEFI 2.3.4.2: RCX, RDX, R8, R9,
 * then the stack. On return the CPU's RSP and RIP are the caller's; after a fault they are those at the fault. The
 * status is in the result only, since RAX holds at most 53 bits (our choice).
 *
 * @throws InputError E_EFI_CALL for more than six arguments, UnmodelledError for a reset.
 */
export function callRuntimeService(cpu: Cpu, entry: Va, args: readonly bigint[]): RuntimeResult {
  if (args.length > ARGUMENTS) {
    throw new InputError({
      code: 'E_EFI_CALL',
      expected: `at most ${ARGUMENTS} arguments`,
      found: `${args.length}`,
    });
  }
  let service: RuntimeServiceName | undefined;
  const caller = { rip: cpu.rip, rsp: cpu.rsp };
  try {
    const home = enter(cpu, entry, args);
    service = serviceAt(cpu, entry);
    const call = new RuntimeCall(cpu, service, entry, home);
    // Compiled code spills the register arguments to the caller's frame.
    for (const [index, value] of args.slice(0, IN_REGISTERS).entries()) {
      call.putU64(vaAdd(home, index * SLOT), BigInt.asUintN(64, value));
    }
    call.execute(service);
    call.trapOn(cpu.push(BigInt(cpu.rbp)));
    const status = driverDataIsIntact(call) ? SERVICES[service](call) : EFI_STATUS.DEVICE_ERROR;
    leave(cpu, caller.rip);
    cpu.rsp = caller.rsp;
    return { kind: 'status', service, status };
  } catch (error) {
    if (error instanceof Trap) return { kind: 'fault', fault: error.fault, service, entry };
    throw error;
  }
}

/** The caller's side of a CALL: aligned frame, arguments, return address. Returns the address of the argument slots. */
function enter(cpu: Cpu, entry: Va, args: readonly bigint[]): Va {
  const home = va(alignDown(cpu.rsp, STACK_ALIGN) - ARGUMENTS * SLOT);
  cpu.rsp = home;
  const register = (index: number): Va => va(Number(BigInt.asIntN(64, args[index] ?? 0n)));
  cpu.setGeneral('rcx', register(0));
  cpu.setGeneral('rdx', register(1));
  cpu.setGeneral('r8', register(2));
  cpu.setGeneral('r9', register(3));
  for (const [index, value] of args.entries()) {
    if (index < IN_REGISTERS) continue;
    const fault = cpu.storeU64(vaAdd(home, index * SLOT), BigInt.asUintN(64, value));
    if (fault !== null) throw new Trap(fault);
  }
  const fault = cpu.push(BigInt(cpu.rip));
  if (fault !== null) throw new Trap(fault);
  cpu.rip = entry;
  return home;
}

/** The service whose code starts at an address; other bytes raise #UD (our choice). */
function serviceAt(cpu: Cpu, entry: Va): RuntimeServiceName {
  const found = new Uint8Array(PROLOGUE);
  const fault = cpu.fetch(entry, found);
  if (fault !== null) throw new Trap(fault);
  const name = RUNTIME_SERVICE_NAMES.find((one) =>
    equalBytes(serviceCode(one).subarray(0, PROLOGUE), found),
  );
  if (name === undefined) {
    throw new Trap({ vector: VECTOR.UD, error: 0, why: 'code is no runtime service' });
  }
  return name;
}

/** POP RBP and RET: the return address is read from the stack. */
function leave(cpu: Cpu, expected: Va): void {
  const rbp = cpu.pop();
  if (isFault(rbp)) throw new Trap(rbp);
  // The caller's RBP: as known, or unknown, as before the call.
  cpu.setGeneral('rbp', va(Number(BigInt.asIntN(48, rbp))), cpu.knows('rbp'));
  const rip = cpu.pop();
  if (isFault(rip)) throw new Trap(rip);
  cpu.rip = va(Number(BigInt.asIntN(48, rip)));
  if (cpu.rip !== expected) {
    throw new Trap({ vector: VECTOR.UD, error: 0, why: `return to ${hex(cpu.rip)}` });
  }
}

/** Whether the driver reads its constant data unchanged (our choice: else every service returns EFI_DEVICE_ERROR). */
function driverDataIsIntact(call: RuntimeCall): boolean {
  const { data } = call;
  if (call.u64(vaAdd(data, RUNTIME_DATA.Signature)) !== RUNTIME_DATA_SIGNATURE) return false;
  const pattern = runtimePattern();
  return equalBytes(call.bytes(vaAdd(data, RUNTIME_DATA.Pattern), pattern.length), pattern);
}
