/** GetVariable() and SetVariable() (UEFI 8.2) on the store in the runtime data. */
import { equalBytes } from '../../base/bytes.js';
import { vaAdd, type Va } from '../../machine/address.js';
import { Struct } from '../struct.js';
import { VARIABLE_HEADER, VARIABLE_STORE } from './layout.js';
import type { RuntimeCall } from './runtime-call.js';
import { alignVariable, EFI_VARIABLE, RUNTIME_DATA, VARIABLE_STORE_SIZE } from './runtime-image.js';
import { EFI_STATUS } from './status.js';

const GUID_SIZE = 16;
/** The longest name in bytes with its NUL (our choice: the limit of EDK2's store header). */
const NAME_MAX = 0x400;

/** A variable in the store: addresses of its header and data. */
interface Found {
  readonly at: Va;
  readonly dataAt: Va;
  readonly dataSize: number;
  readonly attributes: number;
}

interface Request {
  readonly name: Uint8Array;
  readonly guid: Uint8Array;
}

/** The result of a search of the store. */
interface SearchResult {
  readonly found: Found | undefined;
  /** Offset in the store of the end of the last variable. */
  readonly end: number;
}

/** The store's address, from the driver's pointer; undefined if no healthy store is there. */
function storeOf(call: RuntimeCall): Va | undefined {
  const store = call.address(call.u64(vaAdd(call.data, RUNTIME_DATA.VariableStore)));
  const signature = call.bytes(store, GUID_SIZE);
  const healthy =
    call.u8(vaAdd(store, VARIABLE_STORE.Format)) === VARIABLE_STORE.FORMATTED &&
    call.u8(vaAdd(store, VARIABLE_STORE.State)) === VARIABLE_STORE.HEALTHY;
  return healthy && equalBytes(signature, VARIABLE_STORE.signature) ? store : undefined;
}

/** Searches variable by variable up to the first invalid header. */
function search(call: RuntimeCall, store: Va, request: Request): SearchResult {
  let found: Found | undefined;
  let end: number = VARIABLE_STORE.size;
  while (end + VARIABLE_HEADER.size <= VARIABLE_STORE_SIZE) {
    const at = vaAdd(store, end);
    const u32 = (field: 'Attributes' | 'NameSize' | 'DataSize'): number =>
      call.u32(vaAdd(at, VARIABLE_HEADER[field]));
    if (call.u16(vaAdd(at, VARIABLE_HEADER.StartId)) !== VARIABLE_HEADER.START) break;
    const nameAt = end + VARIABLE_HEADER.size;
    const nameSize = u32('NameSize');
    const dataAt = alignVariable(nameAt + nameSize);
    const dataSize = u32('DataSize');
    const next = alignVariable(dataAt + dataSize);
    if (next > VARIABLE_STORE_SIZE) break;
    const added = call.u8(vaAdd(at, VARIABLE_HEADER.State)) === VARIABLE_HEADER.ADDED;
    if (
      added &&
      equalBytes(call.bytes(vaAdd(at, VARIABLE_HEADER.VendorGuid), GUID_SIZE), request.guid) &&
      equalBytes(call.bytes(vaAdd(store, nameAt), nameSize), request.name)
    ) {
      found = { at, dataAt: vaAdd(store, dataAt), dataSize, attributes: u32('Attributes') };
    }
    end = next;
  }
  return { found, end };
}

/** Name and GUID from the pointers in arguments 0 and 1; undefined if they are not valid. */
function requestOf(call: RuntimeCall): Request | undefined {
  const [name, guid] = [call.arg(0), call.arg(1)];
  if (name === 0n || guid === 0n) return undefined;
  const text = call.ucs2(call.address(name), NAME_MAX);
  return text && { name: text, guid: call.bytes(call.address(guid), GUID_SIZE) };
}

/** GetVariable(*VariableName, *VendorGuid, *Attributes, *DataSize, *Data); Attributes may be NULL. */
export function getVariable(call: RuntimeCall): bigint {
  const sizeAt = call.arg(3);
  const request = requestOf(call);
  if (request === undefined || sizeAt === 0n) return EFI_STATUS.INVALID_PARAMETER;
  const store = storeOf(call);
  if (store === undefined) return EFI_STATUS.DEVICE_ERROR;
  const { found } = search(call, store, request);
  // At runtime the other variables are not visible (UEFI 8.2).
  if (found === undefined || (found.attributes & EFI_VARIABLE.RUNTIME_ACCESS) === 0) {
    return EFI_STATUS.NOT_FOUND;
  }
  const capacity = call.u64(call.address(sizeAt));
  call.putU64(call.address(sizeAt), BigInt(found.dataSize));
  if (capacity < BigInt(found.dataSize)) return EFI_STATUS.BUFFER_TOO_SMALL;
  const [attributesAt, dataAt] = [call.arg(2), call.arg(4)];
  if (dataAt === 0n) return EFI_STATUS.INVALID_PARAMETER;
  if (attributesAt !== 0n) call.putU32(call.address(attributesAt), found.attributes);
  call.put(call.address(dataAt), call.bytes(found.dataAt, found.dataSize));
  return EFI_STATUS.SUCCESS;
}

/** SetVariable(*VariableName, *VendorGuid, Attributes, DataSize, *Data); size 0 or no access attribute deletes. */
export function setVariable(call: RuntimeCall): bigint {
  const request = requestOf(call);
  if (request === undefined || request.name.length <= 2) return EFI_STATUS.INVALID_PARAMETER;
  const store = storeOf(call);
  if (store === undefined) return EFI_STATUS.DEVICE_ERROR;
  const attributes = Number(call.arg(2) & 0xffff_ffffn);
  const size = call.arg(3);
  const { found, end } = search(call, store, request);
  const access = EFI_VARIABLE.BOOTSERVICE_ACCESS | EFI_VARIABLE.RUNTIME_ACCESS;
  if (size === 0n || (attributes & access) === 0) {
    if (found === undefined) return EFI_STATUS.NOT_FOUND;
    remove(call, found);
    return EFI_STATUS.SUCCESS;
  }
  // At runtime only non-volatile variables with all access can be written (UEFI 8.2).
  const writable = access | EFI_VARIABLE.NON_VOLATILE;
  if (attributes !== writable) return EFI_STATUS.INVALID_PARAMETER;
  const nameAt = end + VARIABLE_HEADER.size;
  const dataAt = alignVariable(nameAt + request.name.length);
  if (BigInt(dataAt) + size > BigInt(VARIABLE_STORE_SIZE)) return EFI_STATUS.OUT_OF_RESOURCES;
  const header = new Struct(VARIABLE_HEADER.size)
    .u16(VARIABLE_HEADER.StartId, VARIABLE_HEADER.START)
    .u8(VARIABLE_HEADER.State, VARIABLE_HEADER.ADDED)
    .u32(VARIABLE_HEADER.Attributes, attributes)
    .u32(VARIABLE_HEADER.NameSize, request.name.length)
    .u32(VARIABLE_HEADER.DataSize, Number(size))
    .put(VARIABLE_HEADER.VendorGuid, request.guid).bytes;
  const data = call.bytes(call.address(call.arg(4)), Number(size));
  call.put(vaAdd(store, end), header);
  call.put(vaAdd(store, nameAt), request.name);
  call.put(vaAdd(store, dataAt), data);
  if (found !== undefined) remove(call, found);
  return EFI_STATUS.SUCCESS;
}

function remove(call: RuntimeCall, { at }: Found): void {
  const state = vaAdd(at, VARIABLE_HEADER.State);
  call.putU8(state, call.u8(state) & VARIABLE_HEADER.DELETED_MASK);
}
