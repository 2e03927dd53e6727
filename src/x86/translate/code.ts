/** The bytes of a WebAssembly module with one function or several (WebAssembly Core Specification 1.0, chapter 5). */

/** Value types. */
export const I32 = 0x7f;
export const I64 = 0x7e;
/** The type of a block without a result. */
const EMPTY = 0x40;

/** Opcodes without an immediate. */
export const OP = {
  unreachable: 0x00,
  return: 0x0f,
  drop: 0x1a,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32GtU: 0x4b,
  i64Eqz: 0x50,
  i64Eq: 0x51,
  i64Ne: 0x52,
  i64LtS: 0x53,
  i64LtU: 0x54,
  i64LeS: 0x57,
  i64LeU: 0x58,
  i32Popcnt: 0x69,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64And: 0x83,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64Shl: 0x86,
  i64ShrS: 0x87,
  i64ShrU: 0x88,
  i64Rotl: 0x89,
  f64Add: 0xa0,
  i32WrapI64: 0xa7,
  i64ExtendI32U: 0xad,
  i64Extend8S: 0xc2,
  i64Extend16S: 0xc3,
  i64Extend32S: 0xc4,
} as const;

/** Loads and stores: opcode and natural alignment as a power of two. */
export const MEMORY = {
  i32Load: [0x28, 2],
  i64Load: [0x29, 3],
  f64Load: [0x2b, 3],
  i64Load8U: [0x31, 0],
  i64Load16U: [0x33, 1],
  i64Load32U: [0x35, 2],
  i32Store: [0x36, 2],
  i64Store: [0x37, 3],
  f64Store: [0x39, 3],
  i32Store8: [0x3a, 0],
  i32Store16: [0x3b, 1],
  i64Store8: [0x3c, 0],
  i64Store16: [0x3d, 1],
  i64Store32: [0x3e, 2],
} as const;
export type MemoryOp = (typeof MEMORY)[keyof typeof MEMORY];

/** The code of a function. */
export class Code {
  readonly bytes: number[] = [];

  op(...opcodes: readonly number[]): void {
    for (const each of opcodes) this.bytes.push(each);
  }
  private unsigned(value: number): void {
    pushUnsigned(this.bytes, value);
  }
  private signed(low: number, high: number): void {
    let [a, b] = [low, high];
    for (;;) {
      const group = a & 0x7f;
      a = (a >>> 7) | (b << 25);
      b >>= 7;
      const sign = (group & 0x40) === 0 ? 0 : -1;
      if (a === sign && b === sign) {
        this.bytes.push(group);
        return;
      }
      this.bytes.push(group | 0x80);
    }
  }

  i32(value: number): void {
    this.bytes.push(0x41);
    this.signed(value | 0, (value | 0) >> 31);
  }
  /** A constant of two halves. */
  i64(low: number, high: number): void {
    this.bytes.push(0x42);
    this.signed(low | 0, high | 0);
  }
  f64One(): void {
    this.bytes.push(0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f);
  }
  get(local: number): void {
    this.bytes.push(0x20);
    this.unsigned(local);
  }
  set(local: number): void {
    this.bytes.push(0x21);
    this.unsigned(local);
  }
  tee(local: number): void {
    this.bytes.push(0x22);
    this.unsigned(local);
  }
  call(index: number): void {
    this.bytes.push(0x10);
    this.unsigned(index);
  }
  /** A call through table 0 of a function of a type. */
  callIndirect(type: number): void {
    this.bytes.push(0x11);
    this.unsigned(type);
    this.bytes.push(0);
  }

  /** A load or store whose address is on the stack, plus an offset. */
  memory([opcode, align]: MemoryOp, offset: number): void {
    this.bytes.push(opcode, align);
    this.unsigned(offset);
  }
  /** A load from a constant address. */
  load(op: MemoryOp, address: number): void {
    this.i32(0);
    this.memory(op, address);
  }
  /** A store to a constant address of what `value` puts on the stack. */
  store(op: MemoryOp, address: number, value: () => void): void {
    this.i32(0);
    value();
    this.memory(op, address);
  }
  storeI32(address: number, value: number): void {
    this.store(MEMORY.i32Store, address, () => this.i32(value));
  }

  block(body: () => void): void {
    this.nested(0x02, body);
  }
  loop(body: () => void): void {
    this.nested(0x03, body);
  }
  /** The condition is on the stack. */
  if(body: () => void, otherwise?: () => void): void {
    this.bytes.push(0x04, EMPTY);
    body();
    if (otherwise !== undefined) {
      this.bytes.push(0x05);
      otherwise();
    }
    this.bytes.push(0x0b);
  }
  private nested(opcode: number, body: () => void): void {
    this.bytes.push(opcode, EMPTY);
    body();
    this.bytes.push(0x0b);
  }
  branch(depth: number): void {
    this.bytes.push(0x0c);
    this.unsigned(depth);
  }
  branchIf(depth: number): void {
    this.bytes.push(0x0d);
    this.unsigned(depth);
  }
  /** Branches to depth n for n on the stack, below `count`. */
  branchTable(count: number): void {
    this.bytes.push(0x0e);
    this.unsigned(count - 1);
    for (let n = 0; n < count; n++) this.unsigned(n);
  }
}

function pushUnsigned(bytes: number[], value: number): void {
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
}

/** A function's type. */
export interface Signature {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}
export interface Import {
  readonly name: string;
  readonly type: number;
}
export interface Definition {
  readonly type: number;
  /** The types of its locals beside the parameters. */
  readonly locals: readonly number[];
  readonly code: Code;
  /** The name of its export. */
  readonly name: string;
}

/** What a module has. All imports are of module `e`; memory and table are imported as `memory` and `table`. */
export interface ModuleParts {
  readonly types: readonly Signature[];
  readonly imports: readonly Import[];
  readonly functions: readonly Definition[];
  /** Pages of 64 KiB of the memory. */
  readonly memoryPages: number;
  /** Whether it calls through the table. */
  readonly table?: boolean;
}

const counted = (items: readonly (readonly number[])[]): number[] => {
  const bytes: number[] = [];
  pushUnsigned(bytes, items.length);
  for (const item of items) for (const byte of item) bytes.push(byte);
  return bytes;
};
const text = (name: string): number[] => [
  name.length,
  ...Array.from(name, (each) => each.charCodeAt(0)),
];
const leb = (value: number): number[] => {
  const bytes: number[] = [];
  pushUnsigned(bytes, value);
  return bytes;
};

export function moduleOf(parts: ModuleParts): Uint8Array {
  const { types, imports, functions, memoryPages, table = false } = parts;
  const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const section = (id: number, content: readonly number[]): void => {
    bytes.push(id);
    pushUnsigned(bytes, content.length);
    for (const byte of content) bytes.push(byte);
  };
  const from = text('e');
  section(
    1,
    counted(
      types.map(({ parameters, results }) => [
        0x60,
        parameters.length,
        ...parameters,
        results.length,
        ...results,
      ]),
    ),
  );
  const pages = leb(memoryPages);
  section(
    2,
    counted([
      [...from, ...text('memory'), 2, 1, ...pages, ...pages],
      ...(table ? [[...from, ...text('table'), 1, 0x70, 0, 0]] : []),
      ...imports.map(({ name, type }) => [...from, ...text(name), 0, ...leb(type)]),
    ]),
  );
  section(3, counted(functions.map(({ type }) => leb(type))));
  section(
    7,
    counted(functions.map(({ name }, i) => [...text(name), 0, ...leb(imports.length + i)])),
  );
  section(10, counted(functions.map(bodyOf)));
  return Uint8Array.from(bytes);
}

function bodyOf({ locals, code }: Definition): number[] {
  const runs: number[][] = [];
  for (let i = 0; i < locals.length;) {
    let n = 1;
    while (locals[i + n] === locals[i]) n++;
    runs.push([...leb(n), locals[i] ?? I32]);
    i += n;
  }
  const body = [...counted(runs), ...code.bytes, 0x0b];
  return [...leb(body.length), ...body];
}
