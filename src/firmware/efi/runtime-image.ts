/**
 * The runtime driver in memory: its code, then its data, and the variable store. The code is noise unlike any other
 * contents (our choice: not x86 instructions; runtime.ts does a service's work if the CPU fetches exactly these bytes).
 */
import { noiseBytes, Struct, ucs2 } from '../struct.js';
import { EFI_GLOBAL_VARIABLE, VARIABLE_HEADER, VARIABLE_STORE } from './layout.js';
import { RUNTIME_SERVICE_NAMES, type RuntimeServiceName } from './tables.js';

const KIB = 1024;
/** Bytes of code, and offset of the driver's data in the image. */
export const RUNTIME_CODE_SIZE = 64 * KIB;
const CODE_SEED = 0x5eed_c0de;
const PATTERN_SEED = 0x5eed_da7a;
/** The image's header has the first page; each service has SERVICE_SIZE bytes of code (our choice). */
const FIRST_SERVICE = 4 * KIB;
export const SERVICE_SIZE = 512;

/** Offset of each service's code in the image, services in the table's order. */
export const SERVICE_OFFSET = Object.fromEntries(
  RUNTIME_SERVICE_NAMES.map((name, index) => [name, FIRST_SERVICE + index * SERVICE_SIZE]),
) as Readonly<Record<RuntimeServiceName, number>>;

const CODE = noiseBytes(RUNTIME_CODE_SIZE, CODE_SEED);

/** The image's code. */
export function runtimeCode(): Uint8Array {
  return CODE.slice();
}

/** A service's code. */
export function serviceCode(name: RuntimeServiceName): Uint8Array {
  const at = SERVICE_OFFSET[name];
  return CODE.slice(at, at + SERVICE_SIZE);
}

/** Offsets in the driver's data; pointers are physical addresses until they are converted. */
export const RUNTIME_DATA = {
  Signature: 0x00,
  /** 1 after ExitBootServices(). */
  AtRuntime: 0x08,
  /** 1 after SetVirtualAddressMap(). */
  VirtualMode: 0x0c,
  SystemTable: 0x10,
  RuntimeServices: 0x18,
  VariableStore: 0x20,
  ImageBase: 0x28,
  FlashBase: 0x30,
  /** u32: number of relocations. */
  RelocationCount: 0x38,
  /** u32 each: offset in this data of a pointer to convert. */
  Relocations: 0x40,
  Pattern: 0x200,
  size: 0x1000,
} as const;
/** "rtdriver" as a word in memory. */
export const RUNTIME_DATA_SIGNATURE = 0x7265_7669_7264_7472n;
/** Pointers of the driver, in the order of their relocations. */
export const RELOCATED = [
  'SystemTable',
  'RuntimeServices',
  'VariableStore',
  'ImageBase',
  'FlashBase',
] as const;

/** Constant data of the driver, from Pattern to the end of its page. */
export function runtimePattern(): Uint8Array {
  return noiseBytes(RUNTIME_DATA.size - RUNTIME_DATA.Pattern, PATTERN_SEED);
}

/** The driver's data after ExitBootServices(). */
export function runtimeData(at: Readonly<Record<(typeof RELOCATED)[number], number>>): Uint8Array {
  const data = new Struct(RUNTIME_DATA.size)
    .u64(RUNTIME_DATA.Signature, RUNTIME_DATA_SIGNATURE)
    .u32(RUNTIME_DATA.AtRuntime, 1)
    .u32(RUNTIME_DATA.RelocationCount, RELOCATED.length);
  for (const [index, name] of RELOCATED.entries()) {
    data
      .u64(RUNTIME_DATA[name], at[name])
      .u32(RUNTIME_DATA.Relocations + 4 * index, RUNTIME_DATA[name]);
  }
  return data.put(RUNTIME_DATA.Pattern, runtimePattern()).bytes;
}

/** Bytes of the variable store. */
export const VARIABLE_STORE_SIZE = 16 * KIB;

/** A variable of the store. */
export interface EfiVariable {
  readonly name: string;
  readonly guid: Uint8Array;
  readonly attributes: number;
  readonly data: Uint8Array;
}

/** Attributes of a variable (UEFI 7.2, SetVariable). */
export const EFI_VARIABLE = { NON_VOLATILE: 1, BOOTSERVICE_ACCESS: 2, RUNTIME_ACCESS: 4 } as const;
const ALL_ACCESS =
  EFI_VARIABLE.NON_VOLATILE | EFI_VARIABLE.BOOTSERVICE_ACCESS | EFI_VARIABLE.RUNTIME_ACCESS;
const READ_ONLY = EFI_VARIABLE.BOOTSERVICE_ACCESS | EFI_VARIABLE.RUNTIME_ACCESS;

/** The variables in the store when the kernel starts (our choice; UEFI 3.3 defines the names). */
export const VARIABLES: readonly EfiVariable[] = [
  {
    name: 'BootOrder',
    guid: EFI_GLOBAL_VARIABLE,
    attributes: ALL_ACCESS,
    data: Uint8Array.of(0, 0, 1, 0),
  },
  {
    name: 'BootCurrent',
    guid: EFI_GLOBAL_VARIABLE,
    attributes: READ_ONLY,
    data: Uint8Array.of(0, 0),
  },
  { name: 'SecureBoot', guid: EFI_GLOBAL_VARIABLE, attributes: READ_ONLY, data: Uint8Array.of(0) },
];

/** An offset in the store, rounded up to the store's alignment. */
export const alignVariable = (at: number): number =>
  Math.ceil(at / VARIABLE_HEADER.align) * VARIABLE_HEADER.align;

/** The store: its header, the variables, then 0xff as in erased flash (MdeModulePkg, VariableFormat.h). */
export function variableStore(variables: readonly EfiVariable[] = VARIABLES): Uint8Array {
  const store = new Struct(VARIABLE_STORE_SIZE);
  store.bytes.fill(0xff);
  store
    .put(VARIABLE_STORE.Signature, VARIABLE_STORE.signature)
    .u32(VARIABLE_STORE.Size, VARIABLE_STORE_SIZE)
    .u8(VARIABLE_STORE.Format, VARIABLE_STORE.FORMATTED)
    .u8(VARIABLE_STORE.State, VARIABLE_STORE.HEALTHY)
    .put(VARIABLE_STORE.Reserved, new Uint8Array(VARIABLE_STORE.size - VARIABLE_STORE.Reserved));
  let at: number = VARIABLE_STORE.size;
  for (const { name, guid, attributes, data } of variables) {
    const text = ucs2(name);
    const nameAt = at + VARIABLE_HEADER.size;
    const dataAt = alignVariable(nameAt + text.length);
    store
      .u16(at + VARIABLE_HEADER.StartId, VARIABLE_HEADER.START)
      .u8(at + VARIABLE_HEADER.State, VARIABLE_HEADER.ADDED)
      .u8(at + VARIABLE_HEADER.Reserved, 0)
      .u32(at + VARIABLE_HEADER.Attributes, attributes)
      .u32(at + VARIABLE_HEADER.NameSize, text.length)
      .u32(at + VARIABLE_HEADER.DataSize, data.length)
      .put(at + VARIABLE_HEADER.VendorGuid, guid)
      .put(nameAt, text)
      .put(dataAt, data);
    at = alignVariable(dataAt + data.length);
  }
  return store.bytes;
}
