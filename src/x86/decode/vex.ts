/** The VEX and EVEX prefixes: their fields, as the REX and mandatory prefixes that they encode (APM vol. 3, 1.8). */
import type { Cursor } from './cursor.js';

/** The mandatory prefixes by VEX.pp. */
const PP = [
  { operandPrefix: false, repeat: 0 },
  { operandPrefix: true, repeat: 0 },
  { operandPrefix: false, repeat: 0xf3 },
  { operandPrefix: false, repeat: 0xf2 },
] as const;

function setPrefix(cursor: Cursor, pp: number): void {
  const { operandPrefix, repeat } = PP[pp & 3] ?? PP[0];
  cursor.operandPrefix = operandPrefix;
  cursor.repeat = repeat;
  cursor.rex = true;
}

/** Reads a VEX prefix after its first byte; the number of its opcode map. */
export function readVex(cursor: Cursor, three: boolean): number {
  const first = cursor.byte();
  cursor.extendReg = (first & 0x80) === 0 ? 8 : 0;
  let map = 1;
  let last = first;
  if (three) {
    cursor.extendIndex = (first & 0x40) === 0 ? 8 : 0;
    cursor.extendBase = (first & 0x20) === 0 ? 8 : 0;
    map = first & 0x1f;
    last = cursor.byte();
    cursor.rexW = (last & 0x80) !== 0;
  }
  cursor.vvvv = (~last >> 3) & 15;
  cursor.vectorSize = (last & 4) === 0 ? 16 : 32;
  setPrefix(cursor, last);
  return map;
}

/** Vector lengths by EVEX.L'L. */
const LENGTHS = [16, 32, 64, 0] as const;

/** Reads an EVEX prefix after its first byte; the number of its opcode map, or null: not one of the modelled encodings. */
export function readEvex(cursor: Cursor): number | null {
  const p0 = cursor.byte();
  const p1 = cursor.byte();
  const p2 = cursor.byte();
  cursor.extendReg = ((p0 & 0x80) === 0 ? 8 : 0) | ((p0 & 0x10) === 0 ? 16 : 0);
  cursor.extendIndex = (p0 & 0x40) === 0 ? 8 : 0;
  cursor.extendBase = ((p0 & 0x20) === 0 ? 8 : 0) | ((p0 & 0x40) === 0 ? 16 : 0);
  cursor.rexW = (p1 & 0x80) !== 0;
  cursor.vvvv = ((~p1 >> 3) & 15) | ((p2 & 8) === 0 ? 16 : 0);
  cursor.vectorSize = LENGTHS[(p2 >> 5) & 3] ?? 0;
  setPrefix(cursor, p1);
  // Masks, zeroing and broadcast are not modelled; memory forms have a scaled displacement, which is not either.
  const plain = (p2 & 0x97) === 0 && cursor.vectorSize !== 0 && (p0 & 8) === 0 && (p1 & 4) !== 0;
  return plain ? p0 & 7 : null;
}
