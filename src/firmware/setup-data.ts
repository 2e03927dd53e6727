/**
 * The setup_data chain: data that a loader passes beyond the zero page, each node with the physical address of the next
 * (Documentation/x86/boot.txt, setup_data; bootparam.h, struct setup_data).
 */
import { SETUP_DATA } from './efi/layout.js';

/** One node: its type and its data. */
export interface SetupDataNode {
  readonly type: number;
  readonly data: Uint8Array;
  /** Name in the trace. */
  readonly name: string;
}

/** A node with its physical address. */
export interface PlacedSetupData {
  readonly name: string;
  /** Physical address of the node's header. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Distance of a node's data from the end of its page: a map of the first bytes spans two pages (our choice). */
const FROM_PAGE_END = 0x40;
const PAGE = 0x1000;

/** Places nodes from an address on, each in separate pages, linked in order. */
export function placeSetupData(nodes: readonly SetupDataNode[], from: number): PlacedSetupData[] {
  const addresses: number[] = [];
  let page = from;
  for (const { data } of nodes) {
    const at = page + PAGE - FROM_PAGE_END - SETUP_DATA.data;
    addresses.push(at);
    page = Math.ceil((at + SETUP_DATA.data + data.length) / PAGE) * PAGE;
  }
  return nodes.map(({ name, type, data }, index) => {
    const bytes = new Uint8Array(SETUP_DATA.data + data.length);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(SETUP_DATA.next, BigInt(addresses[index + 1] ?? 0), true);
    view.setUint32(SETUP_DATA.type, type, true);
    view.setUint32(SETUP_DATA.len, data.length, true);
    bytes.set(data, SETUP_DATA.data);
    return { name, at: addresses[index] ?? 0, bytes };
  });
}
