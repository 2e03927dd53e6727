/** A writer of flattened device trees (Devicetree Specification 0.1, chapter 5). Big-endian. */

/** struct fdt_header (5.2). */
export const FDT_HEADER = {
  magic: 0,
  totalsize: 4,
  off_dt_struct: 8,
  off_dt_strings: 12,
  off_mem_rsvmap: 16,
  version: 20,
  last_comp_version: 24,
  boot_cpuid_phys: 28,
  size_dt_strings: 32,
  size_dt_struct: 36,
  size: 40,
} as const;
export const FDT_MAGIC = 0xd00d_feed;
/** The version written, and the oldest one with which it is compatible (5.2). */
export const FDT_VERSION = 17;
export const FDT_LAST_COMP_VERSION = 16;

/** Tokens of the structure block (5.4.1). */
export const FDT_TOKEN = { BEGIN_NODE: 1, END_NODE: 2, PROP: 3, NOP: 4, END: 9 } as const;

/** A property's value: a string, a list of strings, cells of 32 bits, bytes, or empty (null). */
export type FdtValue = string | readonly string[] | readonly number[] | Uint8Array | null;

/** A node: its unit name, its properties in order, its children in order. The root's name is ''. */
export interface FdtNode {
  readonly name: string;
  readonly properties: Readonly<Record<string, FdtValue>>;
  readonly children?: readonly FdtNode[];
}

const CELL = 4;
/** An entry of the memory reservation block: address and size; zeros end it (5.3). */
const RESERVE_ENTRY = 16;

const text = (value: string): number[] => [...new TextEncoder().encode(value), 0];
const cell = (value: number): number[] => [
  (value >>> 24) & 0xff,
  (value >>> 16) & 0xff,
  (value >>> 8) & 0xff,
  value & 0xff,
];

/** The bytes of a value (2.2.4): strings with a NUL, cells big-endian. */
function bytesOf(value: FdtValue): number[] {
  if (value === null) return [];
  if (typeof value === 'string') return text(value);
  if (value instanceof Uint8Array) return [...value];
  return value.flatMap((each) => (typeof each === 'string' ? text(each) : cell(each)));
}

/** Pads with zeros to a multiple of a cell. */
function aligned(bytes: readonly number[]): number[] {
  const length = Math.ceil(bytes.length / CELL) * CELL;
  return [...bytes, ...new Array<number>(length - bytes.length).fill(0)];
}

/** A device tree blob of version 17. */
export function writeFdt(root: FdtNode, bootCpu = 0): Uint8Array {
  const strings: number[] = [];
  const offsets = new Map<string, number>();
  const offsetOf = (name: string): number => {
    const existing = offsets.get(name);
    if (existing !== undefined) return existing;
    const offset = strings.length;
    strings.push(...text(name));
    offsets.set(name, offset);
    return offset;
  };
  const structure: number[] = [];
  const visit = (node: FdtNode): void => {
    structure.push(...cell(FDT_TOKEN.BEGIN_NODE), ...aligned(text(node.name)));
    for (const [name, value] of Object.entries(node.properties)) {
      const bytes = bytesOf(value);
      structure.push(...cell(FDT_TOKEN.PROP), ...cell(bytes.length), ...cell(offsetOf(name)));
      structure.push(...aligned(bytes));
    }
    for (const child of node.children ?? []) visit(child);
    structure.push(...cell(FDT_TOKEN.END_NODE));
  };
  visit(root);
  structure.push(...cell(FDT_TOKEN.END));

  const reserve = FDT_HEADER.size;
  const structAt = reserve + RESERVE_ENTRY;
  const stringsAt = structAt + structure.length;
  const blob = new Uint8Array(stringsAt + strings.length);
  const header: Record<Exclude<keyof typeof FDT_HEADER, 'size'>, number> = {
    magic: FDT_MAGIC,
    totalsize: blob.length,
    off_dt_struct: structAt,
    off_dt_strings: stringsAt,
    off_mem_rsvmap: reserve,
    version: FDT_VERSION,
    last_comp_version: FDT_LAST_COMP_VERSION,
    boot_cpuid_phys: bootCpu,
    size_dt_strings: strings.length,
    size_dt_struct: structure.length,
  };
  for (const [name, value] of Object.entries(header)) {
    blob.set(cell(value), FDT_HEADER[name as keyof typeof header]);
  }
  blob.set(structure, structAt);
  blob.set(strings, stringsAt);
  return blob;
}
