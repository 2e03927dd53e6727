/**
 * The setup_data chain: what a loader passes besides the zero page, each node with the physical address of the next
 * (Documentation/x86/boot.txt, setup_data; bootparam.h, struct setup_data).
 */
import { SETUP_DATA } from './efi/layout.js';

/** One node: its type and its data. */
export interface SetupDataNode {
  readonly type: number;
  readonly data: Uint8Array;
  /** What the trace calls it. */
  readonly name: string;
}

/** A node where it goes in memory. */
export interface PlacedSetupData {
  readonly name: string;
  /** Physical address of the node's header. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Distance of nodes from a page's end: their data's first look crosses into the next page (our choice). */
const FROM_PAGE_END = 0x40;
const PAGE = 0x1000;

/** Lays nodes out from an address on, each in pages of its own, linked in their order. */
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
