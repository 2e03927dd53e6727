/** drivers/of/base.c: searching the tree of nodes. */
import { latin1 } from '../../../base/bytes.js';
import { va, type Va } from '../../../machine/address.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';
import { DEVICE_NODE, PROPERTY } from './fdt.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** The first node, in tree order, whose `compatible` property contains the string; 0 where there is none. */
    of_find_compatible_node(k: Kernel, compatible: string): Va | 0;
  }
}

const pointer = (k: Kernel, at: number): number => Number(BigInt.asIntN(64, k.readU64(va(at))));

function textAt(k: Kernel, at: number, length: number): string {
  return latin1(k.readBytes(va(at), length));
}

/** Whether a node's `compatible` property, a list of strings, contains a string. */
function isCompatible(k: Kernel, node: number, compatible: string): boolean {
  let property = pointer(k, node + DEVICE_NODE.properties);
  while (property !== 0) {
    const name = textAt(k, pointer(k, property + PROPERTY.name), 'compatible'.length + 1);
    if (name === 'compatible\0') {
      const length = pointer(k, property + PROPERTY.length);
      const value = textAt(k, pointer(k, property + PROPERTY.value), length);
      return value.split('\0').includes(compatible);
    }
    property = pointer(k, property + PROPERTY.next);
  }
  return false;
}

export const ofBase = bodies({
  of_find_compatible_node: inline((k: Kernel, compatible: string) => {
    let node = pointer(k, k.sym('of_root'));
    while (node !== 0) {
      if (isCompatible(k, node, compatible)) return va(node);
      let next = pointer(k, node + DEVICE_NODE.child);
      // of_find_all_nodes: children first, then the next sibling of the nearest node that has one.
      while (next === 0 && node !== 0) {
        next = pointer(k, node + DEVICE_NODE.sibling);
        node = pointer(k, node + DEVICE_NODE.parent);
      }
      node = next;
    }
    return 0;
  }),
});
