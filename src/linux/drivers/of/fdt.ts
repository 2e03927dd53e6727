/**
 * drivers/of/fdt.c and base.c: the flattened tree becomes nodes and properties in memory, which readers then walk.
 * The structures hold the fields that the model reads, in our own layout (our choice).
 */
import { latin1 } from '../../../base/bytes.js';
import { FDT_TOKEN } from '../../../firmware/fdt.js';
import { va, type Va } from '../../../machine/address.js';
import {
  fdt_check_header,
  fdt_next_tag,
  fdtBlob,
  fdtField,
  type FdtBlob,
} from '../../scripts/dtc/libfdt.js';
import { fn, inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';
import type { Variable } from '../../../kernel/variables.js';

/** struct device_node: pointers of 8 bytes. */
export const DEVICE_NODE = {
  full_name: 0,
  properties: 8,
  parent: 16,
  child: 24,
  sibling: 32,
  size: 40,
} as const;
/** struct property; its value stands in the copied blob. */
export const PROPERTY = { name: 0, value: 8, length: 16, next: 24, size: 32 } as const;
/** FDT_V17_SIZE rounded up to a power of two: the alignment of the copy (of/fdt.c). */
const COPY_ALIGN = 64;
/** The goal of early_init_dt_alloc_memory_arch: above MAX_DMA_ADDRESS (arch/x86/kernel/devicetree.c). */
const MAX_DMA = 16 * 2 ** 20;
/** What stands behind the tree to show that nothing wrote past it. */
const END_MARKER = 0xdead_beef;

declare module '../../../kernel/table.js' {
  interface Entries {
    of_get_flat_dt_size(k: Kernel): number;
    unflatten_and_copy_device_tree(k: Kernel): void;
    unflatten_device_tree(k: Kernel, blob: Va): void;
    /** Physical memory for the tree; the panic is the allocator's. */
    early_init_dt_alloc_memory_arch(k: Kernel, size: number, align: number): Va;
    /** The first node, in the order of the tree, whose `compatible` has the text; 0 where there is none. */
    of_find_compatible_node(k: Kernel, compatible: string): Va | 0;
    of_have_populated_dt(k: Kernel): boolean;
  }
}

const pointer = (k: Kernel, at: number): number => Number(BigInt.asIntN(64, k.readU64(va(at))));

/** One node of the first pass: what it needs room for, and where its tokens are. */
interface Parsed {
  readonly fullName: string;
  readonly properties: { readonly name: string; readonly value: Va; readonly length: number }[];
  readonly children: Parsed[];
}

/** Reads the structure block; an error ends it where it is, as unflatten_dt_node does. */
function parse(k: Kernel, blob: FdtBlob): Parsed | undefined {
  const stack: Parsed[] = [];
  let root: Parsed | undefined;
  let offset = 0;
  for (;;) {
    const token = fdt_next_tag(k, blob, offset);
    if (typeof token === 'number') {
      k.trace.console(`unflatten: error ${String(token)} processing FDT`);
      return root;
    }
    offset = token.next;
    const top = stack[stack.length - 1];
    if (token.tag === FDT_TOKEN.BEGIN_NODE) {
      const parent = top === undefined || top.fullName === '/' ? '' : top.fullName;
      const node: Parsed = { fullName: `${parent}/${token.name}`, properties: [], children: [] };
      if (top === undefined) root ??= node;
      else top.children.push(node);
      stack.push(node);
    } else if (token.tag === FDT_TOKEN.PROP) {
      top?.properties.push({ name: token.name, value: token.value, length: token.length });
    } else if (token.tag === FDT_TOKEN.END_NODE) {
      stack.pop();
      if (stack.length === 0) return root;
    } else if (token.tag === FDT_TOKEN.END) {
      return root;
    }
  }
}

const align8 = (size: number): number => Math.ceil(size / 8) * 8;
const sizeOf = (node: Parsed): number =>
  align8(DEVICE_NODE.size + node.fullName.length + 1) +
  node.properties.reduce((sum, { name }) => sum + align8(PROPERTY.size + name.length + 1), 0) +
  node.children.reduce((sum, child) => sum + sizeOf(child), 0);

/** Writes a tree's nodes from an address on; gives the address after them. */
function write(k: Kernel, node: Parsed, at: number, parent: number): number {
  const put = (to: number, value: number): void => {
    k.writeU64(va(to), BigInt(value));
  };
  const text = (to: number, value: string): void => {
    k.writeBytes(va(to), new TextEncoder().encode(`${value}\0`));
  };
  put(at + DEVICE_NODE.full_name, at + DEVICE_NODE.size);
  text(at + DEVICE_NODE.size, node.fullName);
  put(at + DEVICE_NODE.parent, parent);
  let next = at + align8(DEVICE_NODE.size + node.fullName.length + 1);
  let link = at + DEVICE_NODE.properties;
  for (const { name, value, length } of node.properties) {
    put(link, next);
    put(next + PROPERTY.name, next + PROPERTY.size);
    text(next + PROPERTY.size, name);
    put(next + PROPERTY.value, value);
    put(next + PROPERTY.length, length);
    link = next + PROPERTY.next;
    next += align8(PROPERTY.size + name.length + 1);
  }
  link = at + DEVICE_NODE.child;
  for (const child of node.children) {
    put(link, next);
    link = next + DEVICE_NODE.sibling;
    next = write(k, child, next, at);
  }
  return next;
}

function textAt(k: Kernel, at: number, length: number): string {
  return latin1(k.readBytes(va(at), length));
}

/** Whether a node's `compatible`, a list of texts, has one. */
function isCompatible(k: Kernel, node: number, wanted: string): boolean {
  let property = pointer(k, node + DEVICE_NODE.properties);
  while (property !== 0) {
    const name = textAt(k, pointer(k, property + PROPERTY.name), 'compatible'.length + 1);
    if (name === 'compatible\0') {
      const length = pointer(k, property + PROPERTY.length);
      const value = textAt(k, pointer(k, property + PROPERTY.value), length);
      return value.split('\0').includes(wanted);
    }
    property = pointer(k, property + PROPERTY.next);
  }
  return false;
}

export const ofFdt = bodies({
  of_get_flat_dt_size: inline((k: Kernel) => {
    const params = k.readU64(k.sym('initial_boot_params'));
    return fdtField(k, k.canonical(params), 'totalsize');
  }),

  early_init_dt_alloc_memory_arch: inline((k: Kernel, size: number, align: number) => {
    const limit = k.state.memblock.currentLimit;
    const at =
      k.fn.memblock_find_in_range(MAX_DMA, limit, size, align) ||
      k.fn.memblock_find_in_range(0, limit, size, align);
    if (at === 0) return k.fn.panic('Out of memory');
    k.fn.memblock_reserve(at, size, 'device tree');
    const address = k.__va(at);
    // ___alloc_bootmem_node clears what it gives (mm/nobootmem.c).
    k.memset(address, 0, size);
    return address;
  }),

  unflatten_and_copy_device_tree: fn((k: Kernel) => {
    const params = k.readU64(k.sym('initial_boot_params'));
    if (params === 0n) {
      k.trace.console('No valid device tree found, continuing without');
      return;
    }
    const from = k.canonical(params);
    const size = fdtField(k, from, 'totalsize');
    const to = k.fn.early_init_dt_alloc_memory_arch(size, COPY_ALIGN);
    k.memcpy(to, from, size);
    k.trace.recorder.consumed(
      'device tree',
      'unflatten_and_copy_device_tree',
      k.readBytes(to, size),
    );
    k.writeU64(k.sym('initial_boot_params'), BigInt(to));
    k.fn.unflatten_device_tree(to);
  }),

  unflatten_device_tree: fn((k: Kernel, fdt: Va) => {
    if (fdt_check_header(k, fdt) !== 0) {
      k.trace.console('Invalid device tree blob header');
      return;
    }
    const root = parse(k, fdtBlob(k, fdt));
    if (root === undefined) return;
    const size = sizeOf(root);
    const at = k.fn.early_init_dt_alloc_memory_arch(size + 8, 8);
    k.writeU32(va(at + size), END_MARKER);
    write(k, root, at, 0);
    k.writeU64(k.sym('of_root'), BigInt(at));
  }),

  of_have_populated_dt: inline((k: Kernel) => k.readU64(k.sym('of_root')) !== 0n),

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

export const ofVariables: readonly Variable[] = [
  {
    name: 'initial_boot_params',
    size: 8,
    align: 8,
    section: '.bss',
    file: 'drivers/of/fdt.c',
  },
  { name: 'of_root', size: 8, align: 8, section: '.bss', file: 'drivers/of/base.c' },
  {
    name: 'initial_dtb',
    size: 8,
    align: 8,
    section: '.init.data',
    file: 'arch/x86/kernel/devicetree.c',
  },
];
