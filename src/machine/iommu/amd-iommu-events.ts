/** The AMD IOMMU's event log entries: 16 bytes each (48882, "Event Logging"). */

/** Event codes, in bits 63:60. */
export const EVENT = {
  ILLEGAL_DEV_TABLE_ENTRY: 1,
  IO_PAGE_FAULT: 2,
  DEV_TAB_HARDWARE_ERROR: 3,
  PAGE_TAB_HARDWARE_ERROR: 4,
  ILLEGAL_COMMAND_ERROR: 5,
  COMMAND_HARDWARE_ERROR: 6,
} as const;
export type EventName = keyof typeof EVENT;

/** Flags of an entry, as bits of its 12-bit flags field (bits 59:48). */
export const EVENT_FLAG = {
  /** The page was present. */
  PR: 1 << 4,
  /** A write. */
  RW: 1 << 5,
  /** The device lacked the permission. */
  PE: 1 << 6,
  /** A reserved bit was set; clear with PR: an illegal level encoding. */
  RZ: 1 << 7,
  /** Type of a hardware error: 01b, a master abort. */
  TYPE_MASTER_ABORT: 1 << 9,
  /** Type of a hardware error: 10b, a target abort. */
  TYPE_TARGET_ABORT: 2 << 9,
} as const;

export const EVENT_SIZE = 16;

export interface IommuEvent {
  readonly name: EventName;
  /** Bus, device and function, if a device caused the event. */
  readonly device?: number;
  readonly domain?: number;
  readonly flags?: number;
  /** The address of the device's request, or of the IOMMU's own access, C-bit included. */
  readonly address: bigint;
}

/** The 16 bytes of an entry in memory. */
export function encodeEvent(event: IommuEvent): Uint8Array {
  const { name, device = 0, domain = 0, flags = 0, address } = event;
  const bytes = new Uint8Array(EVENT_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, device, true);
  view.setUint16(4, domain, true);
  view.setUint16(6, (EVENT[name] << 12) | flags, true);
  view.setBigUint64(8, address, true);
  return bytes;
}
