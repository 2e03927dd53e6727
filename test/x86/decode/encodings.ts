/** Byte sequences that cover each form of the decoder's tables, without a random source: each opcode with prefixes and ModRM. */
import type { CodeWidth } from '../../../src/x86/decode/instruction.js';
import { EVEX_MAPS, VEX_MAPS } from '../../../src/x86/decode/map-vex.js';

const ESCAPES: readonly (readonly number[])[] = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];
const PREFIXES: readonly (readonly number[])[] = [[], [0x66], [0xf3], [0xf2]];
/** More prefixes for the opcodes of one and two bytes. */
const MORE_PREFIXES: readonly (readonly number[])[] = [
  [0x67],
  [0xf0],
  [0x65],
  [0x2e],
  [0x66, 0xf2],
  [0x67, 0x66],
];
const REX: readonly (readonly number[])[] = [[], [0x48], [0x45], [0x42]];
/** Opcodes that are prefixes or escapes in the one-byte map. */
const NOT_OPCODES: ReadonlySet<number> = new Set([
  ...[0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3],
  // VEX, EVEX and XOP: sequences of their own.
  ...[0x62, 0x8f, 0xc4, 0xc5],
]);
/** What follows the opcode: SIB, displacement and immediate of distinct bytes. */
const TAIL = [0x94, 0x7c, 0x85, 0x16, 0xa7, 0x38, 0xb9, 0x4a, 0xdb, 0x6c];

/** ModRM bytes for one opcode: for each reg a register and one of the memory forms. */
function modRms(opcode: number, few: boolean): number[] {
  const list: number[] = [];
  for (let reg = 0; reg < 8; reg++) {
    const rm = (opcode + reg) & 7;
    list.push(0xc0 | (reg << 3) | rm);
    list.push((((opcode + reg) % 3) << 6) | (reg << 3) | ((rm + 3) & 7));
  }
  return few ? list.slice(0, 6) : list;
}

/** All sequences for a width of code. The order is fixed. */
export function* encodings(width: CodeWidth): Generator<number[]> {
  for (const escape of ESCAPES) {
    for (let opcode = 0; opcode < 256; opcode++) {
      if (escape.length === 0 && NOT_OPCODES.has(opcode)) continue;
      if (escape.length === 1 && (opcode === 0x38 || opcode === 0x3a)) continue;
      if (escape.length === 0 && width === 64 && (opcode & 0xf0) === 0x40) continue;
      const prefixes = escape.length < 2 ? [...PREFIXES, ...MORE_PREFIXES] : PREFIXES;
      for (const prefix of prefixes) {
        for (const rex of width === 64 ? REX : [[]]) {
          const few = rex.length > 0 || prefix.length > 0;
          for (const modRm of modRms(opcode, few)) {
            yield [...prefix, ...rex, ...escape, opcode, modRm, ...TAIL];
          }
        }
      }
    }
  }
}

/** VEX and EVEX encodings of each opcode of their tables. */
export function* vexEncodings(): Generator<number[]> {
  for (const [map, rows] of Object.entries(VEX_MAPS)) {
    for (const opcode of Object.keys(rows).map(Number)) {
      for (let fields = 0; fields < 16; fields++) {
        // W, vvvv of register 2 or none, L, pp.
        const last = ((fields & 8) << 4) | ((opcode & 1) === 0 ? 0x68 : 0x78) | (fields & 7);
        for (const modRm of modRms(opcode, false)) {
          yield [0xc4, 0xe0 | Number(map), last, opcode, modRm, ...TAIL];
          if (map === '1') yield [0xc5, last | 0x80, opcode, modRm, ...TAIL];
        }
      }
    }
  }
  for (const [map, rows] of Object.entries(EVEX_MAPS)) {
    for (const opcode of Object.keys(rows).map(Number)) {
      for (const [w, length] of [
        [0, 0x08],
        [0, 0x28],
        [0x80, 0x48],
      ] as const) {
        for (const modRm of modRms(opcode, false).filter((byte) => byte >= 0xc0)) {
          yield [0x62, 0xf0 | Number(map), w | 0x6d, length, opcode, modRm, ...TAIL];
        }
      }
    }
  }
}
