/**
 * drivers/of/fdt.c: unflattening the tree to nodes and properties in memory, which drivers/of/base.c walks.
 * The structures have the fields that the model reads, in a layout of our choice.
 */
import { FDT_TOKEN } from '../../../firmware/fdt.js';
import { LIMITS } from '../../../base/limits.js';
import { UnmodelledError } from '../../../machine/unmodelled.js';
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
/** struct property; its value is in the copied blob. */
export const PROPERTY = { name: 0, value: 8, length: 16, next: 24, size: 32 } as const;
/** FDT_V17_SIZE rounded up to a power of two: the alignment of the copy (of/fdt.c). */
const COPY_ALIGN = 64;

/** Marker after the tree: a write past the end would change it. */
const END_MARKER = 0xdead_beef;

declare module '../../../kernel/table.js' {
  interface Entries {
    of_get_flat_dt_size(k: Kernel): number;
    unflatten_and_copy_device_tree(k: Kernel): void;
    unflatten_device_tree(k: Kernel, blob: Va): void;
  }
}

/** One node of the first pass: its name, and its properties in the blob. */
interface Parsed {
  readonly fullName: string;
  readonly properties: { readonly name: string; readonly value: Va; readonly length: number }[];
  readonly children: Parsed[];
}

function tooDeep(name: string): UnmodelledError {
  const { most } = LIMITS.deviceTreeDepth;
  return new UnmodelledError(
    `node ${name} below ${most} others`,
    'the model does not follow the recursion of unflatten_dt_node() so deep',
  );
}

/** The kernel keeps a pointer to a property's name; the model's layout has a copy. */
function tooManyNames(): UnmodelledError {
  const { most, unit } = LIMITS.deviceTreeNames;
  return new UnmodelledError(
    `names of more than ${most} ${unit} in a device tree`,
    'the model copies the path of each node and the name of each property, and not so many',
  );
}

/** Parses the structure block, up to the first error, as unflatten_dt_node() does. */
function parse(k: Kernel, blob: FdtBlob): Parsed | undefined {
  const stack: Parsed[] = [];
  let characters = 0;
  let root: Parsed | undefined;
  let offset = 0;
  for (;;) {
    const token = fdt_next_tag(k, blob, offset);
    if (typeof token === 'number') {
      k.fn.printk(`unflatten: error ${String(token)} processing FDT`);
      return root;
    }
    offset = token.next;
    const top = stack[stack.length - 1];
    const parentPath = stack.length > 1 ? (stack.at(-1)?.fullName ?? '') : '';
    characters += token.name.length + (token.tag === FDT_TOKEN.BEGIN_NODE ? parentPath.length : 0);
    if (characters > LIMITS.deviceTreeNames.most) throw tooManyNames();
    if (token.tag === FDT_TOKEN.BEGIN_NODE) {
      // unflatten_dt_node() calls itself for a child, on a stack of 16 KiB: the depth that fits is the compiler's.
      if (stack.length >= LIMITS.deviceTreeDepth.most) throw tooDeep(token.name);
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

/** Writes a tree's nodes from an address on; returns the address after them. */
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

export const ofFdt = bodies({
  of_get_flat_dt_size: inline((k: Kernel) => {
    const params = k.readU64(k.sym('initial_boot_params'));
    return fdtField(k, k.canonical(params), 'totalsize');
  }),

  unflatten_and_copy_device_tree: fn((k: Kernel) => {
    const params = k.readU64(k.sym('initial_boot_params'));
    if (params === 0n) {
      k.fn.printk('No valid device tree found, continuing without');
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
      k.fn.printk('Invalid device tree blob header');
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
