/** The one-byte opcode map (APM vol. 3, tables ). */
import type { Entry, OpcodeMap } from './table.js';

/** The group of arithmetic operations by ModRM.reg and by bits 5:3 of the opcode (APM vol. 3, table A-6). */
const ARITHMETIC = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'] as const;
/** The group of shifts and rotates by ModRM.reg (table A-6, group 2); 6 is an alias of SHL, named SAL here. */
const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sal', 'sar'] as const;
/** Conditions by bits 3:0 of an opcode (APM vol. 3, table A-1, Jcc). */
export const CONDITIONS = [
  ...['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a'],
  ...['s', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'],
] as const;

const lockable = (name: string): string => (name === 'cmp' ? '' : ' lock');

function arithmetic(): OpcodeMap {
  const map: Record<number, Entry> = {};
  for (const [index, name] of ARITHMETIC.entries()) {
    const base = index * 8;
    const lock = lockable(name);
    map[base] = `${name} Eb,Gb${lock}`;
    map[base + 1] = `${name} Ev,Gv${lock}`;
    map[base + 2] = `${name} Gb,Eb`;
    map[base + 3] = `${name} Gv,Ev`;
    map[base + 4] = `${name} AL,Ib`;
    map[base + 5] = `${name} rAX,Iz`;
  }
  return map;
}

const arithmeticGroup = (operands: string): Entry => ({
  reg: ARITHMETIC.map((name) => `${name} ${operands}${lockable(name)}`),
});
const shiftGroup = (operands: string): Entry => ({
  reg: SHIFTS.map((name) => `${name} ${operands}`),
});
const group3 = (size: string, immediate: string): Entry => ({
  reg: [
    `test E${size},${immediate}`,
    `test E${size},${immediate}`,
    `not E${size} lock`,
    `neg E${size} lock`,
    `mul E${size}`,
    `imul E${size}`,
    `div E${size}`,
    `idiv E${size}`,
  ],
});

/** The same row for each of the opcodes from `first` on. */
function repeated(first: number, rows: readonly Entry[]): OpcodeMap {
  return Object.fromEntries(rows.map((row, index) => [first + index, row]));
}
const eight = (row: Entry): Entry[] => Array.from({ length: 8 }, () => row);
const string = (name: string, operands: (size: string) => string): Entry => ({
  osize: [`${name}w ${operands('w')}`, `${name}d ${operands('d')}`, `${name}q ${operands('q')}`],
});

export const MAP_ONE_BYTE: OpcodeMap = {
  ...arithmetic(),
  0x06: 'push ES i64',
  0x07: 'pop ES i64',
  0x0e: 'push CS i64',
  0x16: 'push SS i64',
  0x17: 'pop SS i64',
  0x1e: 'push DS i64',
  0x1f: 'pop DS i64',
  0x27: 'daa i64',
  0x2f: 'das i64',
  0x37: 'aaa i64',
  0x3f: 'aas i64',
  // In 64-bit mode these are REX prefixes.
  ...repeated(0x40, eight('inc Zv i64')),
  ...repeated(0x48, eight('dec Zv i64')),
  ...repeated(0x50, eight('push Zv d64')),
  ...repeated(0x58, eight('pop Zv d64')),
  0x60: { osize: ['pusha i64', 'pushad i64', null] },
  0x61: { osize: ['popa i64', 'popad i64', null] },
  0x62: 'bound Gv,Ma i64',
  0x63: { mode: ['arpl Ev/w,Gv', 'movsxd Gv,Ez'] },
  0x68: 'push Iz d64',
  0x69: 'imul Gv,Ev,Iz',
  0x6a: 'push Is d64',
  0x6b: 'imul Gv,Ev,Is',
  0x6c: 'insb Yb,DX',
  0x6d: { osize: ['insw Yw,DX', 'insd Yd,DX', 'insd Yd,DX'] },
  0x6e: 'outsb DX,Xb',
  0x6f: { osize: ['outsw DX,Xw', 'outsd DX,Xd', 'outsd DX,Xd'] },
  ...repeated(
    0x70,
    CONDITIONS.map((condition) => `j${condition} Jb d64`),
  ),
  0x80: arithmeticGroup('Eb,Ib'),
  0x81: arithmeticGroup('Ev,Iz'),
  0x82: { mode: [arithmeticGroup('Eb,Ib'), null] },
  0x83: arithmeticGroup('Ev,Is'),
  0x84: 'test Eb,Gb',
  0x85: 'test Ev,Gv',
  0x86: 'xchg Eb,Gb lock',
  0x87: 'xchg Ev,Gv lock',
  0x88: 'mov Eb,Gb',
  0x89: 'mov Ev,Gv',
  0x8a: 'mov Gb,Eb',
  0x8b: 'mov Gv,Ev',
  0x8c: 'mov Ev/w,Sw',
  0x8d: 'lea Gv,M',
  0x8e: 'mov Sw,Ev/w',
  0x8f: { reg: ['pop Ev d64'] },
  ...repeated(0x91, eight('xchg Zv,rAX').slice(1)),
  0x98: { osize: ['cbw', 'cwde', 'cdqe'] },
  0x99: { osize: ['cwd', 'cdq', 'cqo'] },
  0x9a: 'call far Ap i64',
  0x9b: 'wait',
  0x9c: { osize: ['pushf d64', 'pushfd d64', 'pushfq d64'] },
  0x9d: { osize: ['popf d64', 'popfd d64', 'popfq d64'] },
  0x9e: 'sahf',
  0x9f: 'lahf',
  0xa0: 'mov AL,Ob',
  0xa1: 'mov rAX,Ov',
  0xa2: 'mov Ob,AL',
  0xa3: 'mov Ov,rAX',
  0xa4: 'movsb Yb,Xb',
  0xa5: string('movs', (size) => `Y${size},X${size}`),
  0xa6: 'cmpsb Xb,Yb',
  0xa7: string('cmps', (size) => `X${size},Y${size}`),
  0xa8: 'test AL,Ib',
  0xa9: 'test rAX,Iz',
  0xaa: 'stosb Yb,AL',
  0xab: string('stos', (size) => `Y${size},rAX`),
  0xac: 'lodsb AL,Xb',
  0xad: string('lods', (size) => `rAX,X${size}`),
  0xae: 'scasb AL,Yb',
  0xaf: string('scas', (size) => `rAX,Y${size}`),
  ...repeated(0xb0, eight('mov Zb,Ib')),
  ...repeated(0xb8, eight('mov Zv,Iv')),
  0xc0: shiftGroup('Eb,Ib'),
  0xc1: shiftGroup('Ev,Ib'),
  0xc2: 'ret Iw d64',
  0xc3: 'ret d64',
  0xc4: 'les Gz,Mp i64',
  0xc5: 'lds Gz,Mp i64',
  0xc6: { reg: ['mov Eb,Ib'] },
  0xc7: { reg: ['mov Ev,Iz'] },
  0xc8: 'enter Iw,Ib d64',
  0xc9: 'leave d64',
  0xca: 'retf Iw',
  0xcb: 'retf',
  0xcc: 'int3',
  0xcd: 'int Ib',
  0xce: 'into i64',
  0xcf: { osize: ['iret', 'iretd', 'iretq'] },
  0xd0: shiftGroup('Eb,1'),
  0xd1: shiftGroup('Ev,1'),
  0xd2: shiftGroup('Eb,CL'),
  0xd3: shiftGroup('Ev,CL'),
  0xd4: 'aam Ib i64',
  0xd5: 'aad Ib i64',
  0xd6: 'salc i64',
  0xd7: 'xlatb',
  0xe0: 'loopne Jb d64',
  0xe1: 'loope Jb d64',
  0xe2: 'loop Jb d64',
  0xe3: { asize: ['jcxz Jb d64', 'jecxz Jb d64', 'jrcxz Jb d64'] },
  0xe4: 'in AL,Ib',
  0xe5: 'in eAX,Ib',
  0xe6: 'out Ib,AL',
  0xe7: 'out Ib,eAX',
  0xe8: 'call Jz d64',
  0xe9: 'jmp Jz d64',
  0xea: 'jmp far Ap i64',
  0xeb: 'jmp Jb d64',
  0xec: 'in AL,DX',
  0xed: 'in eAX,DX',
  0xee: 'out DX,AL',
  0xef: 'out DX,eAX',
  0xf1: 'int1',
  0xf4: 'hlt',
  0xf5: 'cmc',
  0xf6: group3('b', 'Ib'),
  0xf7: group3('v', 'Iz'),
  0xf8: 'clc',
  0xf9: 'stc',
  0xfa: 'cli',
  0xfb: 'sti',
  0xfc: 'cld',
  0xfd: 'std',
  0xfe: { reg: ['inc Eb lock', 'dec Eb lock'] },
  0xff: {
    reg: [
      'inc Ev lock',
      'dec Ev lock',
      'call Ev d64',
      'call far Mp',
      'jmp Ev d64',
      'jmp far Mp',
      'push Ev d64',
    ],
  },
};
