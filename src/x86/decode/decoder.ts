/** The decoder: prefixes, the opcode map, and the operands that its row names (APM vol. 3, 1.2 to 1.8). */
import { BytesEnd, Cursor } from './cursor.js';
import {
  MAX_LENGTH,
  SEGMENT,
  type CodeWidth,
  type Form,
  type Instruction,
  type Operand,
  type Undecoded,
} from './instruction.js';
import { MAP_0F } from './map-0f.js';
import { MAP_ONE_BYTE } from './map-one-byte.js';
import { MAP_0F38, MAP_0F3A, MAP_SSE } from './map-sse.js';
import { EVEX_MAPS, VEX_MAPS } from './map-vex.js';
import { MAP_X87 } from './map-x87.js';
import { readOperand, usesModRm } from './operand-codes.js';
import { formOf, rowsOf, type Entry, type OpcodeMap } from './table.js';
import { readEvex, readVex } from './vex.js';

const ONE_BYTE: OpcodeMap = { ...MAP_ONE_BYTE, ...MAP_X87 };
const TWO_BYTES: OpcodeMap = { ...MAP_0F, ...MAP_SSE };

/** Segment overrides (APM vol. 3, 1.2.4). */
const SEGMENT_PREFIX: Readonly<Record<number, number>> = {
  0x26: SEGMENT.es,
  0x2e: SEGMENT.cs,
  0x36: SEGMENT.ss,
  0x3e: SEGMENT.ds,
  0x64: SEGMENT.fs,
  0x65: SEGMENT.gs,
};
const PREFIX = { OPERAND: 0x66, ADDRESS: 0x67, LOCK: 0xf0, REPNE: 0xf2, REP: 0xf3 } as const;
const ESCAPE = 0x0f;
const ESCAPE_38 = 0x38;
const ESCAPE_3A = 0x3a;
const NOP_OPCODE = 0x90;
const VEX3 = 0xc4;
const VEX2 = 0xc5;
const EVEX = 0x62;

/** Rows that only the prefixes of 90 tell apart (APM vol. 3, NOP, PAUSE): with REX.B it is an XCHG, unless F3 makes it a PAUSE. */
const NOP: Entry = { prefix: { np: 'nop', p66: 'nop', f2: 'nop', f3: 'pause' } };

/** Mandatory prefixes by which an entry chooses. */
type MandatoryPrefix = 'np' | 'p66' | 'f3' | 'f2';

function readPrefixes(cursor: Cursor): void {
  for (;;) {
    const byte = cursor.peek();
    const segment = SEGMENT_PREFIX[byte];
    if (segment !== undefined) {
      // APM vol. 3, 1.2.4: in 64-bit mode the overrides of ES, CS, SS and DS are ignored.
      if (cursor.width !== 64 || segment >= SEGMENT.fs) cursor.segment = segment;
    } else if (byte === PREFIX.OPERAND) cursor.operandPrefix = true;
    else if (byte === PREFIX.ADDRESS) cursor.addressPrefix = true;
    else if (byte === PREFIX.LOCK) cursor.lock = true;
    else if (byte === PREFIX.REPNE || byte === PREFIX.REP) cursor.repeat = byte;
    else break;
    cursor.at++;
  }
}

/** REX, directly before the opcode (APM vol. 3, 1.2.7); one that another prefix follows is ignored. */
function readRex(cursor: Cursor): void {
  while (cursor.width === 64 && (cursor.peek() & 0xf0) === 0x40) {
    const rex = cursor.byte();
    const next = cursor.peek();
    if (isPrefix(next)) {
      readPrefixes(cursor);
      continue;
    }
    if ((next & 0xf0) === 0x40) continue;
    cursor.rex = true;
    cursor.rexW = (rex & 8) !== 0;
    cursor.extendReg = (rex & 4) << 1;
    cursor.extendIndex = (rex & 2) << 2;
    cursor.extendBase = (rex & 1) << 3;
  }
}

const PREFIX_BYTES: ReadonlySet<number> = new Set(Object.values(PREFIX));
const isPrefix = (byte: number): boolean =>
  PREFIX_BYTES.has(byte) || SEGMENT_PREFIX[byte] !== undefined;

/** APM vol. 3, table 1-2. */
function operandSize(cursor: Cursor, default64: boolean): number {
  const { width, rexW, operandPrefix } = cursor;
  if (width === 64) return rexW ? 8 : operandPrefix ? 2 : default64 ? 8 : 4;
  return (width === 32) === operandPrefix ? 2 : 4;
}

function mandatory(cursor: Cursor): MandatoryPrefix {
  if (cursor.repeat === PREFIX.REP) return 'f3';
  if (cursor.repeat === PREFIX.REPNE) return 'f2';
  return cursor.operandPrefix ? 'p66' : 'np';
}

/** The row of an entry that prefixes and ModRM choose. @param used set where a mandatory prefix was one. */
function resolve(cursor: Cursor, entry: Entry, used: { prefix: boolean }): Form | null {
  let here = entry;
  while (here !== null && typeof here !== 'string') {
    const { prefix, reg, rm, mod, osize, asize, w, l, mode } = here;
    if (prefix !== undefined) {
      const which = mandatory(cursor);
      here = prefix[which] ?? null;
      used.prefix = true;
    } else if (mod !== undefined) here = mod[cursor.mod === 3 ? 1 : 0];
    else if (reg !== undefined) here = reg[cursor.modRmReg] ?? null;
    else if (rm !== undefined) here = rm[cursor.modRmRm] ?? null;
    else if (osize !== undefined) {
      const default64 = rowsOf(here).some((row) => formOf(row).flags.has('d64'));
      here = osize[operandSize(cursor, default64) >> 2] ?? null;
    } else if (asize !== undefined) here = asize[cursor.addressSize >> 2] ?? null;
    else if (w !== undefined) here = w[cursor.rexW && cursor.width === 64 ? 1 : 0];
    else if (l !== undefined) here = l[cursor.vectorSize > 16 ? 1 : 0];
    else here = mode?.[cursor.width === 64 ? 1 : 0] ?? null;
  }
  return here === null ? null : formOf(here);
}

const chooses = (entry: Entry): boolean =>
  entry !== null &&
  (typeof entry === 'string'
    ? formOf(entry).operands.some(usesModRm)
    : entry.reg !== undefined ||
      entry.rm !== undefined ||
      entry.mod !== undefined ||
      Object.values(entry).some((list: Readonly<Record<string, Entry>> | readonly Entry[]) =>
        Object.values(list).some(chooses),
      ));
const modRmCache = new Map<Entry, boolean>();

function hasModRm(entry: Entry): boolean {
  let known = modRmCache.get(entry);
  if (known === undefined) modRmCache.set(entry, (known = chooses(entry)));
  return known;
}

/** The entry of the opcode at the cursor, after its escapes. */
function readOpcode(cursor: Cursor): Entry {
  const first = (cursor.opcode = cursor.byte());
  if (first !== ESCAPE) {
    if (first === NOP_OPCODE)
      return cursor.extendBase === 0 || cursor.repeat === PREFIX.REP ? NOP : 'xchg Zv,rAX';
    return ONE_BYTE[first] ?? null;
  }
  const second = (cursor.opcode = cursor.byte());
  if (second !== ESCAPE_38 && second !== ESCAPE_3A) return TWO_BYTES[second] ?? null;
  cursor.opcode = cursor.byte();
  return (second === ESCAPE_38 ? MAP_0F38 : MAP_0F3A)[cursor.opcode] ?? null;
}

/** VEX or EVEX: where ModRM.mod would be 3, outside 64-bit mode (APM vol. 3, 1.8). */
function vexEntry(cursor: Cursor): Entry | undefined {
  const first = cursor.peek();
  if (first !== VEX2 && first !== VEX3 && first !== EVEX) return undefined;
  cursor.at++;
  const register = cursor.peek() >> 6 === 3;
  if (cursor.width !== 64 && !register) {
    cursor.at--;
    return undefined;
  }
  // APM vol. 3, 1.8: a #UD after a REX, LOCK or mandatory prefix.
  if (cursor.rex || cursor.lock || cursor.repeat !== 0 || cursor.operandPrefix) return null;
  const map = first === EVEX ? readEvex(cursor) : readVex(cursor, first === VEX3);
  if (map === null) return null;
  cursor.opcode = cursor.byte();
  return (first === EVEX ? EVEX_MAPS : VEX_MAPS)[map]?.[cursor.opcode] ?? null;
}

/** APM vol. 3, 1.8.2: VEX.vvvv is 1111b without an operand that it names, VEX.L 0 without an operand of its length. */
function vexFieldsValid({ vvvv, vectorSize }: Cursor, { operands, mnemonic }: Form): boolean {
  const named = operands.some((code) => code.startsWith('H') || code.startsWith('B'));
  const sized = operands.some((code) => code.endsWith('x')) || mnemonic === 'vzeroall';
  return (named || vvvv === 0) && (sized || vectorSize === 16);
}

function decodeAt(cursor: Cursor): Instruction | null {
  readPrefixes(cursor);
  readRex(cursor);
  const vex = vexEntry(cursor);
  const entry = vex === undefined ? readOpcode(cursor) : vex;
  if (entry === null) return null;
  if (hasModRm(entry))
    cursor.readModRm(typeof entry === 'string' && formOf(entry).flags.has('mod3'));
  const used = { prefix: false };
  const form = resolve(cursor, entry, used);
  if (form === null) return null;
  const { flags, mnemonic } = form;
  if (cursor.width === 64 ? flags.has('i64') : flags.has('o64')) return null;
  if (vex !== undefined && !vexFieldsValid(cursor, form)) return null;
  cursor.operandSize = operandSize(cursor, flags.has('d64'));
  const operands: Operand[] = [];
  for (const code of form.operands) {
    const operand = readOperand(cursor, code);
    if (operand === null) return null;
    operands.push(operand);
  }
  // APM vol. 3, 1.2.5: LOCK is a #UD except before the listed instructions, with a memory destination.
  const control = operands.some((each) => each.kind === 'register' && each.file === 'control');
  const lockable = flags.has('lock') && operands[0]?.kind === 'memory';
  if (cursor.lock && !lockable && (!control || cursor.extendReg !== 0)) return null;
  // MOV to CS is a #UD (APM vol. 3, MOV).
  const [to] = operands;
  if (mnemonic === 'mov' && to?.kind === 'register' && to.file === 'segment' && to.number === 1) {
    return null;
  }
  return {
    form,
    mnemonic,
    operands,
    operandSize: cursor.operandSize,
    addressSize: cursor.addressSize,
    repeat: used.prefix ? 0 : cursor.repeat,
    lock: cursor.lock && lockable,
    length: cursor.length,
  };
}

/** Decodes the instruction at `start`. @param end the end of the bytes that are known. */
export function decode(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  width: CodeWidth = 64,
): Instruction | Undecoded {
  const cursor = new Cursor(bytes, start, end, width);
  try {
    return decodeAt(cursor) ?? { undecoded: 'invalid', length: cursor.length };
  } catch (error) {
    if (!(error instanceof BytesEnd)) throw error;
    const long = cursor.length >= MAX_LENGTH;
    return { undecoded: long ? 'too-long' : 'truncated', length: cursor.length };
  }
}
