/**
 * The functions that all translated code of a core calls, as one module: loads and stores (page-table.ts and
 * direct-lines.ts do the same), arithmetic flags of an earlier operation (flags.ts), and the run from block to block.
 */
import { FLAG, KIND, RECORD } from '../flags.js';
import { ENTRIES } from '../page-table.js';
import {
  Code,
  I32,
  I64,
  MEMORY,
  OP,
  type Definition,
  type MemoryOp,
  type Signature,
} from './code.js';
import { CELL, TARGETS, type Layout } from './layout.js';

/** The types of functions by their numbers. */
export const TYPES: readonly Signature[] = [
  { parameters: [I64, I32], results: [I64] },
  { parameters: [I64, I64, I32], results: [I32] },
  { parameters: [I32], results: [I32] },
  { parameters: [], results: [I32] },
  { parameters: [I32, I32, I32], results: [I32] },
];
const LOAD = 0;
const STORE = 1;
/** Of an operation, and of a region: its block's number, and whether the run ends. */
export const ONE_TO_ONE = 2;
const FLAG_TYPE = 3;
const SLOW = 4;

/** Functions of the module by their names, in the order in which regions import them. */
export const HELPERS = [
  ...(['load1', 'load2', 'load4', 'load8'] as const),
  ...(['store1', 'store2', 'store4', 'store8'] as const),
  ...(['operation', 'branch'] as const),
  ...(['cf', 'zf', 'sf', 'of', 'pf', 'gp'] as const),
] as const;
export type Helper = (typeof HELPERS)[number];
const TYPE_OF: Readonly<Record<Helper, number>> = {
  ...{ load1: LOAD, load2: LOAD, load4: LOAD, load8: LOAD },
  ...{ store1: STORE, store2: STORE, store4: STORE, store8: STORE },
  ...{ operation: ONE_TO_ONE, branch: ONE_TO_ONE },
  ...{ cf: FLAG_TYPE, zf: FLAG_TYPE, sf: FLAG_TYPE, of: FLAG_TYPE, pf: FLAG_TYPE },
  gp: FLAG_TYPE,
};
export const HELPER_IMPORTS = HELPERS.map((name) => ({ name, type: TYPE_OF[name] }));
export const helperIndex = (name: Helper): number => HELPERS.indexOf(name);

/** The functions of JavaScript that the module calls. */
export const FOREIGN = [
  { name: 'loadSlowly', type: SLOW },
  { name: 'storeSlowly', type: SLOW },
  { name: 'operation', type: ONE_TO_ONE },
  { name: 'branch', type: ONE_TO_ONE },
  { name: 'gp', type: FLAG_TYPE },
] as const;
const foreign = (name: (typeof FOREIGN)[number]['name']): number =>
  FOREIGN.findIndex((each) => each.name === name);

/** How a value of a size in bytes is loaded, zero-extended. */
export function loadOf(size: number): MemoryOp {
  if (size === 8) return MEMORY.i64Load;
  if (size === 4) return MEMORY.i64Load32U;
  return size === 2 ? MEMORY.i64Load16U : MEMORY.i64Load8U;
}
/** How the low bytes of a value are stored. */
export function storeOf(size: number): MemoryOp {
  if (size === 8) return MEMORY.i64Store;
  if (size === 4) return MEMORY.i64Store32;
  return size === 2 ? MEMORY.i64Store16 : MEMORY.i64Store8;
}

/** Finds the slot of the line of the address in local 0, into local `slot`; else it branches out of the block. */
function findSlot(
  code: Code,
  layout: Layout,
  table: Layout['reads'],
  size: number,
  entry: number,
  slot: number,
): void {
  const { lines } = layout;
  if (size > 1) {
    // All of it is in one line.
    code.get(0);
    code.op(OP.i32WrapI64);
    code.i32(63);
    code.op(OP.i32And);
    code.i32(64 - size);
    code.op(OP.i32GtU);
    code.branchIf(0);
  }
  // The entry of the page, times 8.
  code.get(0);
  code.i64(9, 0);
  code.op(OP.i64ShrU, OP.i32WrapI64);
  code.i32((ENTRIES - 1) << 3);
  code.op(OP.i32And);
  code.tee(entry);
  code.memory(MEMORY.i64Load, table.pages);
  code.get(0);
  code.i64(-4096, -1);
  code.op(OP.i64And, OP.i64Ne);
  code.branchIf(0);
  // The line in the page, in place of the slot.
  code.get(0);
  code.i64(6, 0);
  code.op(OP.i64ShrU, OP.i32WrapI64);
  code.i32(63);
  code.op(OP.i32And);
  code.tee(slot);
  code.get(entry);
  code.memory(MEMORY.i32Load, table.tags);
  code.op(OP.i32Add);
  code.get(slot);
  code.i32(2);
  code.op(OP.i32Shl);
  code.get(entry);
  code.i32(5);
  code.op(OP.i32Shl, OP.i32Add);
  code.memory(MEMORY.i32Load, table.slots);
  code.tee(slot);
  code.i32(2);
  code.op(OP.i32Shl);
  code.memory(MEMORY.i32Load, lines.low);
  code.op(OP.i32Ne);
  code.branchIf(0);
  code.get(entry);
  code.memory(MEMORY.i32Load, table.tags + 4);
  code.get(slot);
  code.i32(2);
  code.op(OP.i32Shl);
  code.memory(MEMORY.i32Load, lines.high);
  code.op(OP.i32Ne);
  code.branchIf(0);
}

/** Counts at one place, and puts the count at the slot's place of an array of doubles. */
function count(code: Code, counter: number, array: number, slot: number): void {
  code.get(slot);
  code.i32(3);
  code.op(OP.i32Shl);
  code.load(MEMORY.f64Load, counter);
  code.f64One();
  code.op(OP.f64Add);
  code.memory(MEMORY.f64Store, array);
  code.i32(0);
  code.get(slot);
  code.i32(3);
  code.op(OP.i32Shl);
  code.memory(MEMORY.f64Load, array);
  code.memory(MEMORY.f64Store, counter);
}

/** Puts the offset of the address in local 0 in the cache's bytes on the stack. */
function inSlot(code: Code, slot: number): void {
  code.get(slot);
  code.i32(6);
  code.op(OP.i32Shl);
  code.get(0);
  code.op(OP.i32WrapI64);
  code.i32(63);
  code.op(OP.i32And, OP.i32Or);
}

/** Calls a slow form with the address in local 0, the size, and whether it is of the stack. */
function slowly(code: Code, name: 'loadSlowly' | 'storeSlowly', size: number, stack: number): void {
  code.get(0);
  code.op(OP.i32WrapI64);
  code.get(0);
  code.i64(32, 0);
  code.op(OP.i64ShrU, OP.i32WrapI64);
  code.i32(size);
  code.get(stack);
  code.i32(4);
  code.op(OP.i32Shl, OP.i32Or);
  code.call(foreign(name));
}

function loadFunction(layout: Layout, size: number): Definition {
  const code = new Code();
  const [stack, entry, slot] = [1, 2, 3];
  code.block(() => {
    findSlot(code, layout, layout.reads, size, entry, slot);
    count(code, layout.lines.clock, layout.lines.used, slot);
    inSlot(code, slot);
    code.memory(loadOf(size), layout.lines.data);
    code.op(OP.return);
  });
  slowly(code, 'loadSlowly', size, stack);
  code.memory(loadOf(size), layout.transfer);
  return { type: LOAD, locals: [I32, I32], code, name: `load${String(size)}` };
}

function storeFunction(layout: Layout, size: number, cpu: number): Definition {
  const code = new Code();
  const [value, stack, entry, slot] = [1, 2, 3, 4];
  const { lines } = layout;
  code.block(() => {
    findSlot(code, layout, layout.writes, size, entry, slot);
    code.get(slot);
    code.i32(1);
    code.memory(MEMORY.i32Store8, lines.dirtyBits);
    code.get(slot);
    code.i32(1);
    code.op(OP.i32Shl);
    code.i32(cpu);
    code.memory(MEMORY.i32Store16, lines.owner);
    code.get(slot);
    code.i32(2);
    code.op(OP.i32Shl);
    code.load(MEMORY.i32Load, layout.cell(CELL.ORIGIN));
    code.memory(MEMORY.i32Store, lines.origin);
    count(code, lines.clock, lines.used, slot);
    count(code, lines.writes, lines.written, slot);
    inSlot(code, slot);
    code.get(value);
    code.memory(storeOf(size), lines.data);
    code.i32(0);
    code.op(OP.return);
  });
  code.store(MEMORY.i64Store, layout.transfer, () => code.get(value));
  slowly(code, 'storeSlowly', size, stack);
  return { type: STORE, locals: [I32, I32], code, name: `store${String(size)}` };
}

/** A flag by the record: of KIND `known` a bit, else what `otherwise` puts on the stack. */
function flagFunction(
  layout: Layout,
  name: 'cf' | 'zf' | 'sf' | 'of' | 'pf',
  bit: number,
  otherwise: (code: Code, word: (index: number) => void) => void,
): Definition {
  const code = new Code();
  const word = (index: number): void => code.load(MEMORY.i32Load, layout.flag(index));
  word(RECORD.KIND);
  code.op(OP.i32Eqz);
  code.if(() => {
    word(RECORD.BITS);
    code.i32(31 - Math.clz32(bit));
    code.op(OP.i32ShrU);
    code.i32(1);
    code.op(OP.i32And, OP.return);
  });
  otherwise(code, word);
  return { type: FLAG_TYPE, locals: [], code, name };
}

/** Returns the sign of what is on the stack if the record is of one of these kinds. */
function ifKind(
  code: Code,
  word: (index: number) => void,
  kinds: readonly number[],
  value: () => void,
): void {
  for (const [i, kind] of kinds.entries()) {
    word(RECORD.KIND);
    code.i32(kind);
    code.op(OP.i32Eq);
    if (i > 0) code.op(OP.i32Or);
  }
  code.if(() => {
    value();
    code.i32(31);
    code.op(OP.i32ShrU, OP.return);
  });
}

function flagFunctions(layout: Layout): Definition[] {
  const { A_HIGH: A, B_HIGH: B, HIGH: R } = RECORD;
  return [
    flagFunction(layout, 'cf', FLAG.CF, (code, word) => {
      const not = (index: number): void => {
        word(index);
        code.i32(-1);
        code.op(OP.i32Xor);
      };
      ifKind(code, word, [KIND.add], () => {
        word(A);
        word(B);
        code.op(OP.i32And);
        word(A);
        word(B);
        code.op(OP.i32Or);
        not(R);
        code.op(OP.i32And, OP.i32Or);
      });
      ifKind(code, word, [KIND.subtract], () => {
        not(A);
        word(B);
        code.op(OP.i32And);
        not(A);
        word(B);
        code.op(OP.i32Or);
        word(R);
        code.op(OP.i32And, OP.i32Or);
      });
      ifKind(code, word, [KIND.logic], () => code.i32(0));
      word(RECORD.CARRY);
    }),
    flagFunction(layout, 'zf', FLAG.ZF, (code, word) => {
      word(RECORD.LOW);
      word(RECORD.HIGH);
      code.op(OP.i32Or, OP.i32Eqz);
    }),
    flagFunction(layout, 'sf', FLAG.SF, (code, word) => {
      word(RECORD.HIGH);
      code.i32(31);
      code.op(OP.i32ShrU);
    }),
    flagFunction(layout, 'of', FLAG.OF, (code, word) => {
      ifKind(code, word, [KIND.add, KIND.increment], () => {
        word(A);
        word(R);
        code.op(OP.i32Xor);
        word(B);
        word(R);
        code.op(OP.i32Xor, OP.i32And);
      });
      ifKind(code, word, [KIND.subtract, KIND.decrement], () => {
        word(A);
        word(B);
        code.op(OP.i32Xor);
        word(A);
        word(R);
        code.op(OP.i32Xor, OP.i32And);
      });
      code.i32(0);
    }),
    flagFunction(layout, 'pf', FLAG.PF, (code, word) => {
      word(RECORD.LOW);
      code.i32(0xff);
      code.op(OP.i32And, OP.i32Popcnt);
      code.i32(1);
      code.op(OP.i32And);
      code.op(OP.i32Eqz);
    }),
  ];
}

/** Calls the function of JavaScript of the same name. */
function passOn(name: 'operation' | 'branch' | 'gp'): Definition {
  const code = new Code();
  const type = TYPE_OF[name];
  if (type === ONE_TO_ONE) code.get(0);
  code.call(foreign(name));
  return { type, locals: [], code, name };
}

/** Runs regions, the one of RIP each time, until one says that the run ends or none is known. */
function runFunction(layout: Layout): Definition {
  const code = new Code();
  const [rip, target] = [0, 1];
  const { byteOffset } = layout.targets;
  code.loop(() => {
    code.load(MEMORY.i64Load, layout.cell(CELL.RIP));
    code.tee(rip);
    code.op(OP.i32WrapI64);
    code.i32(4);
    code.op(OP.i32Shl);
    code.i32((TARGETS - 1) << 4);
    code.op(OP.i32And);
    code.tee(target);
    code.memory(MEMORY.i64Load, byteOffset);
    code.get(rip);
    code.op(OP.i64Eq);
    code.if(() => {
      code.get(target);
      code.memory(MEMORY.i32Load, byteOffset + 12);
      code.get(target);
      code.memory(MEMORY.i32Load, byteOffset + 8);
      code.callIndirect(ONE_TO_ONE);
      code.op(OP.i32Eqz);
      code.branchIf(1);
    });
  });
  code.i32(0);
  return { type: FLAG_TYPE, locals: [I64, I32], code, name: 'run' };
}

/** The functions of the module. @param cpu the number of the CPU, as the cache has it. */
export function helperFunctions(layout: Layout, cpu: number): Definition[] {
  const sizes = [1, 2, 4, 8];
  return [
    ...sizes.map((size) => loadFunction(layout, size)),
    ...sizes.map((size) => storeFunction(layout, size, cpu)),
    ...flagFunctions(layout),
    ...(['operation', 'branch', 'gp'] as const).map(passOn),
    runFunction(layout),
  ];
}
