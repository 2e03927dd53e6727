/** Runtime services on a machine at the kernel's entry: an identity map, nothing encrypted. */
import { describe, expect, test } from '@jest/globals';
import { crc32 } from '../../../src/firmware/crc32.js';
import {
  EFI_GLOBAL_VARIABLE,
  EFI_MEMORY_DESCRIPTOR,
  EFI_MEMORY_DESCRIPTOR_STRIDE,
  EFI_RUNTIME_SERVICES,
  EFI_SYSTEM_TABLE,
  EFI_TABLE_HDR,
} from '../../../src/firmware/efi/layout.js';
import { callRuntimeService } from '../../../src/firmware/efi/runtime.js';
import { RUNTIME_DATA } from '../../../src/firmware/efi/runtime-image.js';
import { EFI_STATUS } from '../../../src/firmware/efi/status.js';
import { LOADER_LAYOUT } from '../../../src/firmware/loader.js';
import { ucs2 } from '../../../src/firmware/struct.js';
import { pa, va } from '../../../src/machine/address.js';
import type { Blob } from '../../../src/firmware/placed.js';
import type { Boot } from '../../../src/sequencer/boot.js';
import { boot, scenario } from '../../helpers.js';

/** The identity map is in slot 0 of the PML4; slot 480 maps the same in the upper half of the address space. */
const HIGH = -0x1000_0000_0000;
const HIGH_SLOT = 480;
/** Slot 481 maps it with the C-bit in every leaf. */
const ENCRYPTED = HIGH + 2 ** 39;
const ENCRYPTED_SLOT = 481;
const C_BIT = 1n << 47n;
const SCRATCH = 0x2000_0000;
const MAP_AT = 0x3000_0000;
const POINTER = 0x7n;
const LARGE_LEAF = 0x183n;

interface Machine {
  readonly it: Boot;
  blob(name: string): Blob;
  /** A u64 in memory as a device reads it, including cached lines. */
  u64(at: number): bigint;
  bytes(at: number, length: number): Uint8Array;
  put(at: number, bytes: Uint8Array): void;
  /** The physical entry of a service, from the table in memory. */
  entry(name: keyof typeof EFI_RUNTIME_SERVICES): number;
  call(entry: number, ...args: (number | bigint)[]): ReturnType<typeof callRuntimeService>;
}

const it = boot({ scenario: scenario('epyc-efi'), stage: 0 });
const handedOver = it.machine.snapshot();

function efi(): Machine {
  const { machine } = it;
  machine.restore(handedOver);
  const cpu = machine.cpus[0];
  const put = (at: number, bytes: Uint8Array): void => machine.dmaWrite(pa(at), bytes);
  const words = (...list: bigint[]): Uint8Array => new Uint8Array(BigUint64Array.from(list).buffer);
  const pml4 = LOADER_LAYOUT.pageTables;
  put(pml4 + HIGH_SLOT * 8, machine.dmaRead(pa(pml4), 8));
  put(pml4 + ENCRYPTED_SLOT * 8, words(BigInt(SCRATCH) | POINTER));
  for (let gib = 0; gib < 4; gib++) {
    put(SCRATCH + gib * 8, words(BigInt(SCRATCH + (gib + 1) * 4096) | POINTER));
    const leaves = Array.from(
      { length: 512 },
      (_, i) => BigInt((gib * 512 + i) * 0x20_0000) | LARGE_LEAF | C_BIT,
    );
    put(SCRATCH + (gib + 1) * 4096, words(...leaves));
  }
  cpu.rsp = va(0x8_0000);
  cpu.rip = va(0x100_0000);
  const blob = (name: string): Blob => {
    const found = it.loaded.blobs.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const bytes = (at: number, length: number): Uint8Array => machine.dmaRead(pa(at), length);
  const u64 = (at: number): bigint => new DataView(bytes(at, 8).buffer).getBigUint64(0, true);
  return {
    it,
    blob,
    u64,
    bytes,
    put,
    entry: (name) => {
      const pointer = u64(blob('EFI runtime services').base + EFI_RUNTIME_SERVICES[name]);
      return Number(BigInt.asIntN(64, pointer));
    },
    call: (entry, ...args) => callRuntimeService(cpu, va(entry), args.map(BigInt)),
  };
}

/** The firmware's own map with virtual addresses at an offset from the physical ones, as a kernel passes it. */
function virtualMap(m: Machine, offset: number): Uint8Array {
  const map = m.blob('EFI memory map').bytes.slice();
  const view = new DataView(map.buffer);
  for (let at = 0; at < map.length; at += EFI_MEMORY_DESCRIPTOR_STRIDE) {
    const start = view.getBigUint64(at + EFI_MEMORY_DESCRIPTOR.PhysicalStart, true);
    const virtual = BigInt.asUintN(64, start + BigInt(offset));
    view.setBigUint64(at + EFI_MEMORY_DESCRIPTOR.VirtualStart, virtual, true);
  }
  return map;
}

function setVirtualAddressMap(
  m: Machine,
  map = virtualMap(m, HIGH),
  { size = map.length, stride = EFI_MEMORY_DESCRIPTOR_STRIDE, version = 1 } = {},
): ReturnType<typeof callRuntimeService> {
  m.put(MAP_AT, map);
  return m.call(m.entry('SetVirtualAddressMap'), size, stride, version, MAP_AT);
}

const status = (result: ReturnType<typeof callRuntimeService>): bigint | string =>
  result.kind === 'status' ? result.status : `fault ${result.fault.vector}: ${result.fault.why}`;

const NAME_AT = 0x3100_0000;
const GUID_AT = NAME_AT + 0x400;
const SIZE_AT = NAME_AT + 0x800;
const ATTRIBUTES_AT = NAME_AT + 0x808;
const DATA_AT = NAME_AT + 0x810;

function variable(m: Machine, name: string, room: number): void {
  m.put(NAME_AT, ucs2(name));
  m.put(GUID_AT, EFI_GLOBAL_VARIABLE);
  m.put(SIZE_AT, new Uint8Array(BigUint64Array.of(BigInt(room)).buffer));
}
const getVariable = (m: Machine, entry: number): ReturnType<typeof callRuntimeService> =>
  m.call(entry, NAME_AT, GUID_AT, ATTRIBUTES_AT, SIZE_AT, DATA_AT);

const headerCrc = (table: Uint8Array): [number, number] => {
  const stored = new DataView(table.buffer).getUint32(EFI_TABLE_HDR.CRC32, true);
  new DataView(table.buffer).setUint32(EFI_TABLE_HDR.CRC32, 0, true);
  return [stored, crc32(table)];
};

describe('SetVirtualAddressMap', () => {
  test('converts every pointer of the tables and updates their CRCs', () => {
    const m = efi();
    const system = m.blob('EFI system table').base;
    const services = m.blob('EFI runtime services').base;
    const before = m.entry('GetVariable');
    expect(status(setVirtualAddressMap(m))).toBe(EFI_STATUS.SUCCESS);
    expect(m.entry('GetVariable')).toBe(before + HIGH);
    for (const field of ['FirmwareVendor', 'RuntimeServices', 'ConfigurationTable'] as const) {
      const was = new DataView(m.blob('EFI system table').bytes.buffer);
      const physical = was.getBigUint64(EFI_SYSTEM_TABLE[field], true);
      expect(m.u64(system + EFI_SYSTEM_TABLE[field])).toBe(
        BigInt.asUintN(64, physical + BigInt(HIGH)),
      );
    }
    for (const [at, size] of [
      [system, EFI_SYSTEM_TABLE.size],
      [services, EFI_RUNTIME_SERVICES.size],
    ] as const) {
      const [stored, computed] = headerCrc(m.bytes(at, size));
      expect(stored).toBe(computed);
    }
  });

  test('is refused the second time', () => {
    const m = efi();
    setVirtualAddressMap(m);
    const entry = m.entry('SetVirtualAddressMap');
    expect(status(m.call(entry, 48, 48, 1, MAP_AT))).toBe(EFI_STATUS.UNSUPPORTED);
  });

  test.each([
    [{ version: 0 }, EFI_STATUS.INVALID_PARAMETER],
    [{ version: 1 }, EFI_STATUS.SUCCESS],
    [{ version: 2 }, EFI_STATUS.INVALID_PARAMETER],
    [{ stride: 39 }, EFI_STATUS.INVALID_PARAMETER],
  ])('with %j returns %s', (arguments_, expected) => {
    const m = efi();
    expect(status(setVirtualAddressMap(m, virtualMap(m, HIGH), arguments_))).toBe(expected);
  });

  test('returns NO_MAPPING if the map does not cover a pointer', () => {
    const m = efi();
    const map = virtualMap(m, HIGH);
    const size = EFI_MEMORY_DESCRIPTOR_STRIDE * 4;
    expect(status(setVirtualAddressMap(m, map, { size }))).toBe(EFI_STATUS.NO_MAPPING);
  });

  test('returns NO_MAPPING if the descriptors are read under another key', () => {
    const m = efi();
    m.put(MAP_AT, virtualMap(m, HIGH));
    m.it.machine.cpus[0].wbinvd();
    const through = ENCRYPTED + MAP_AT;
    const result = m.call(m.entry('SetVirtualAddressMap'), 960, 48, 1, through);
    expect(status(result)).toBe(EFI_STATUS.NO_MAPPING);
  });

  test('raises the page fault of a map that is not mapped', () => {
    const m = efi();
    const result = m.call(m.entry('SetVirtualAddressMap'), 960, 48, 1, 2 ** 40);
    expect(result).toMatchObject({
      kind: 'fault',
      service: 'SetVirtualAddressMap',
      fault: { vector: 14, error: 0, address: 2 ** 40 + EFI_MEMORY_DESCRIPTOR.Attribute },
    });
  });
});

describe('a runtime service call', () => {
  test('restores RSP and RIP of the caller', () => {
    const m = efi();
    const cpu = m.it.machine.cpus[0];
    cpu.rsp = va(0x7_fff8);
    const before = [cpu.rsp, cpu.rip];
    expect(status(m.call(m.entry('GetTime')))).toBe(EFI_STATUS.UNSUPPORTED);
    expect([cpu.rsp, cpu.rip]).toEqual(before);
  });

  test('to code that the mapping decrypts to garbage is an invalid opcode', () => {
    const m = efi();
    const entry = ENCRYPTED + m.entry('GetVariable');
    expect(m.call(entry)).toMatchObject({
      kind: 'fault',
      fault: { vector: 6 },
      service: undefined,
    });
  });

  test('to anything but the first byte of a service is an invalid opcode', () => {
    const m = efi();
    for (const off of [-1, 1]) {
      expect(m.call(m.entry('GetVariable') + off)).toMatchObject({ fault: { vector: 6 } });
    }
  });

  test('to code of which the last byte was overwritten is an invalid opcode', () => {
    const m = efi();
    m.put(m.entry('GetVariable') + 511, Uint8Array.of(0));
    expect(m.call(m.entry('GetVariable'))).toMatchObject({
      fault: { vector: 6 },
      service: 'GetVariable',
    });
    expect(m.call(m.entry('GetTime'))).toMatchObject({ kind: 'status' });
  });

  test('returns DEVICE_ERROR if its data is not intact', () => {
    const m = efi();
    m.put(m.blob('EFI runtime data').base + RUNTIME_DATA.Pattern, Uint8Array.of(0));
    expect(status(setVirtualAddressMap(m))).toBe(EFI_STATUS.DEVICE_ERROR);
  });

  test('with a stack that is not mapped faults before the service is entered', () => {
    const m = efi();
    m.it.machine.cpus[0].rsp = va(2 ** 40);
    expect(m.call(m.entry('GetTime'))).toMatchObject({ fault: { vector: 14, error: 2 } });
  });

  test('to ResetSystem throws E_UNMODELLED', () => {
    const m = efi();
    expect(() => m.call(m.entry('ResetSystem'), 0, 0, 0, 0)).toThrow('ResetSystem');
  });

  test('accepts six arguments and refuses a seventh', () => {
    const m = efi();
    expect(m.call(m.entry('GetTime'), 1, 2, 3, 4, 5, 6)).toMatchObject({ kind: 'status' });
    expect(() => m.call(m.entry('GetTime'), 1, 2, 3, 4, 5, 6, 7)).toThrow('E_EFI_CALL');
  });
});

describe('EFI variables', () => {
  test('are read at the physical address before, at the virtual one after SetVirtualAddressMap', () => {
    const m = efi();
    variable(m, 'BootOrder', 8);
    expect(status(getVariable(m, m.entry('GetVariable')))).toBe(EFI_STATUS.SUCCESS);
    expect([...m.bytes(DATA_AT, 4)]).toEqual([0, 0, 1, 0]);
    setVirtualAddressMap(m);
    m.put(DATA_AT, new Uint8Array(4).fill(0xee));
    expect(m.entry('GetVariable')).toBeLessThan(0);
    expect(status(getVariable(m, m.entry('GetVariable')))).toBe(EFI_STATUS.SUCCESS);
    expect([...m.bytes(DATA_AT, 4)]).toEqual([0, 0, 1, 0]);
    expect(m.u64(SIZE_AT)).toBe(4n);
  });

  test.each([
    [3, EFI_STATUS.BUFFER_TOO_SMALL],
    [4, EFI_STATUS.SUCCESS],
    [5, EFI_STATUS.SUCCESS],
  ])('a buffer of %i bytes for 4: %s, with the size that is needed', (room, expected) => {
    const m = efi();
    variable(m, 'BootOrder', room);
    expect(status(getVariable(m, m.entry('GetVariable')))).toBe(expected);
    expect(m.u64(SIZE_AT)).toBe(4n);
  });

  test('that were not set are NOT_FOUND, for reads and for deletion', () => {
    const m = efi();
    variable(m, 'BootNext', 8);
    expect(status(getVariable(m, m.entry('GetVariable')))).toBe(EFI_STATUS.NOT_FOUND);
    expect(status(m.call(m.entry('SetVariable'), NAME_AT, GUID_AT, 7, 0, 0))).toBe(
      EFI_STATUS.NOT_FOUND,
    );
  });

  test('that were set are read back, and are gone when deleted', () => {
    const m = efi();
    variable(m, 'BootNext', 8);
    m.put(DATA_AT, Uint8Array.of(1, 2, 3));
    expect(status(m.call(m.entry('SetVariable'), NAME_AT, GUID_AT, 7, 3, DATA_AT))).toBe(0n);
    m.put(DATA_AT, new Uint8Array(3));
    expect(status(getVariable(m, m.entry('GetVariable')))).toBe(0n);
    expect([...m.bytes(DATA_AT, 3)]).toEqual([1, 2, 3]);
    expect(status(m.call(m.entry('SetVariable'), NAME_AT, GUID_AT, 7, 0, 0))).toBe(0n);
    expect(status(getVariable(m, m.entry('GetVariable')))).toBe(EFI_STATUS.NOT_FOUND);
  });
});
