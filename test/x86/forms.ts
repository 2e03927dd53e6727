/** Encodings of each mnemonic with the flags that it defines: what is compared with another implementation. */

/** The arithmetic flags, as bits of RFLAGS. */
const F = { C: 0x1, P: 0x4, A: 0x10, Z: 0x40, S: 0x80, O: 0x800 } as const;
const bits = (names: string): number =>
  [...names].reduce((sum, name) => sum | F[name as keyof typeof F], 0);

export interface InstructionForm {
  readonly mnemonic: string;
  readonly code: readonly number[];
  /** Flags that are defined after it, or unchanged. */
  readonly flags: number;
  /** Bits of RCX that the random state keeps; absent: all. */
  readonly rcx?: bigint;
  /** It sets RIP: one instruction is executed; others run to the next address. */
  readonly branch?: boolean;
  /** Unicorn 2.0.1 zero-extends registers where an EPYC does not: only bits 31:0 are compared. */
  readonly lowOnly?: boolean;
  /** Of two NaNs Unicorn 2.0.1 gives the one that x87 would, an EPYC the first: such states are left out. */
  readonly oneNan?: boolean;
  /** Flags that are defined only for a count of one. */
  readonly onlyByOne?: number;
}

const ALL = bits('CPAZSO');
const LOGIC = bits('CPZSO');

/** ModRM: rCX to rAX; to [rBX+8]; AH to CL or its like. */
const MODRMS = [[0xc8], [0x4b, 0x08]] as const;

const PREFIXES = [
  { prefix: [], wide: false },
  { prefix: [0x66], wide: true },
  { prefix: [], wide: true },
  { prefix: [0x48], wide: true },
] as const;

type Extra = Partial<Omit<InstructionForm, 'mnemonic' | 'code' | 'flags'>>;

/** An opcode in its four sizes, with a register and with memory as destination. */
function sized(
  mnemonic: string,
  opcode: readonly number[],
  flags: number,
  tail: readonly number[] = [],
  extra: Extra = {},
): InstructionForm[] {
  const last = opcode.at(-1) ?? 0;
  const head = opcode.slice(0, -1);
  return PREFIXES.flatMap(({ prefix, wide }) =>
    MODRMS.map((modRm) => ({
      mnemonic,
      code: [...prefix, ...head, last + (wide ? 1 : 0), ...modRm, ...tail],
      flags,
      ...extra,
    })),
  );
}

/** The same for a group: ModRM.reg is `reg`, the operand RCX, [RBX+8], or for bytes CH. */
function group(
  mnemonic: string,
  opcode: number,
  reg: number,
  flags: number,
  tail: readonly number[] = [],
  extra: Extra = {},
): InstructionForm[] {
  return PREFIXES.flatMap(({ prefix, wide }) =>
    [[0xc1], [0x43, 0x08], ...(wide ? [] : [[0xc5]])].map(([modRm = 0, ...displacement]) => ({
      mnemonic,
      code: [...prefix, opcode + (wide ? 1 : 0), modRm | (reg << 3), ...displacement, ...tail],
      flags,
      ...extra,
    })),
  );
}

/** An opcode of 16, 32 and 64 bits. */
function wideOnly(
  mnemonic: string,
  opcode: readonly number[],
  flags: number,
  tail: readonly number[] = [],
  extra: Extra = {},
): InstructionForm[] {
  return [[0x66], [], [0x48]].flatMap((prefix) =>
    MODRMS.map((modRm) => ({
      mnemonic,
      code: [...prefix, ...opcode, ...modRm, ...tail],
      flags,
      ...extra,
    })),
  );
}

const one = (
  mnemonic: string,
  code: readonly number[],
  flags = ALL,
  extra: Extra = {},
): InstructionForm => ({
  mnemonic,
  code,
  flags,
  ...extra,
});

const CONDITIONS = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');
const ARITHMETIC = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'];
const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sal', 'sar'];
const ROTATES = 4;
const COUNTS = [0, 1, 3, 7, 8, 15, 31, 33, 63];

const logical = (name: string): number => (/^(?:and|or|xor|test)$/.test(name) ? LOGIC : ALL);

function shifts(): InstructionForm[] {
  return SHIFTS.flatMap((name, reg) => {
    const rotates = reg < ROTATES;
    const flags = rotates ? ALL & ~F.O : bits('PZS');
    // CF of a shift by at least the size is undefined for SHL and SHR of 8 and 16 bits: CL is at most 7 there.
    const byOne = { onlyByOne: F.O };
    const forms = [
      ...group(name, 0xd0, reg, rotates ? ALL : LOGIC),
      ...COUNTS.flatMap((count) => group(name, 0xc0, reg, flags, [count], byOne)),
      ...group(name, 0xd2, reg, flags, [], { ...byOne, rcx: 0xffn }),
    ];
    const carries = rotates
      ? []
      : group(name, 0xd2, reg, bits('CPZS'), [], { rcx: 0x7n }).filter(
          ({ code }) => code.length > 0,
        );
    return [...forms, ...carries];
  });
}

function doubles(): InstructionForm[] {
  return [
    ['shld', 0xa4],
    ['shrd', 0xac],
  ].flatMap(([name, opcode]) => {
    const mnemonic = String(name);
    const number = Number(opcode);
    return [
      ...[1, 4, 15].flatMap((count) =>
        wideOnly(mnemonic, [0x0f, number], count === 1 ? LOGIC : bits('CPZS'), [count]),
      ),
      ...wideOnly(mnemonic, [0x0f, number + 1], bits('CPZS'), [], { rcx: 0xfn }),
    ];
  });
}

function bitTests(): InstructionForm[] {
  return ['bt', 'bts', 'btr', 'btc'].flatMap((name, index) => [
    ...wideOnly(name, [0x0f, 0xa3 + 8 * index], F.C, [], { rcx: 0xffn }),
    ...[5, 17, 63].flatMap((offset) =>
      [[0x66], [], [0x48]].flatMap((prefix) =>
        [[0xe0], [0x63, 0x08]].map(([modRm = 0, ...displacement]) =>
          one(name, [...prefix, 0x0f, 0xba, modRm + 8 * index, ...displacement, offset], F.C),
        ),
      ),
    ),
  ]);
}

function strings(): InstructionForm[] {
  const names = { movs: 0xa4, cmps: 0xa6, stos: 0xaa, lods: 0xac, scas: 0xae };
  return Object.entries(names).flatMap(([name, opcode]) =>
    [
      ['b', []],
      ['w', [0x66]],
      ['d', []],
      ['q', [0x48]],
    ].flatMap(([suffix, prefix]) =>
      [[], [0xf3], [0xf2]].map((repeat) =>
        one(
          `${name}${String(suffix)}`,
          [...repeat, ...(prefix as number[]), opcode + (suffix === 'b' ? 0 : 1)],
          ALL,
          { rcx: 3n },
        ),
      ),
    ),
  );
}

/** A media operation of XMM0 with XMM1, and with 16 bytes of memory at RBX+8. */
function media(mnemonic: string, ...code: number[]): InstructionForm[] {
  return [one(mnemonic, [...code, 0xc1]), one(mnemonic, [...code, 0x43, 0x08])];
}

/** Opcodes of 66 0F xx that operate on packed integers. */
const PACKED = {
  ...{ punpcklbw: 0x60, punpcklwd: 0x61, punpckldq: 0x62, packsswb: 0x63, pcmpgtb: 0x64 },
  ...{ pcmpgtw: 0x65, pcmpgtd: 0x66, packuswb: 0x67, punpckhbw: 0x68, punpckhwd: 0x69 },
  ...{ punpckhdq: 0x6a, packssdw: 0x6b, punpcklqdq: 0x6c, punpckhqdq: 0x6d, pcmpeqb: 0x74 },
  ...{ pcmpeqw: 0x75, pcmpeqd: 0x76, psrlw: 0xd1, psrld: 0xd2, psrlq: 0xd3, paddq: 0xd4 },
  ...{ pmullw: 0xd5, psubusb: 0xd8, psubusw: 0xd9, pminub: 0xda, pand: 0xdb, paddusb: 0xdc },
  ...{ paddusw: 0xdd, pmaxub: 0xde, pandn: 0xdf, pavgb: 0xe0, psraw: 0xe1, psrad: 0xe2 },
  ...{ pavgw: 0xe3, pmulhuw: 0xe4, pmulhw: 0xe5, psubsb: 0xe8, psubsw: 0xe9, pminsw: 0xea },
  ...{ por: 0xeb, paddsb: 0xec, paddsw: 0xed, pmaxsw: 0xee, pxor: 0xef, psllw: 0xf1 },
  ...{ pslld: 0xf2, psllq: 0xf3, pmuludq: 0xf4, pmaddwd: 0xf5, psadbw: 0xf6, psubb: 0xf8 },
  ...{ psubw: 0xf9, psubd: 0xfa, psubq: 0xfb, paddb: 0xfc, paddw: 0xfd, paddd: 0xfe },
} as const;
/** Shifts of XMM1 by an immediate: opcode and ModRM.reg. */
const MEDIA_SHIFTS: Readonly<Record<string, readonly [number, number]>> = {
  ...{ psrlw: [0x71, 2], psraw: [0x71, 4], psllw: [0x71, 6], psrld: [0x72, 2] },
  ...{ psrad: [0x72, 4], pslld: [0x72, 6], psrlq: [0x73, 2], psrldq: [0x73, 3] },
  ...{ psllq: [0x73, 6], pslldq: [0x73, 7] },
};

function packed(): InstructionForm[] {
  return [
    ...Object.entries(PACKED).flatMap(([name, opcode]) => media(name, 0x66, 0x0f, opcode)),
    ...Object.entries(MEDIA_SHIFTS).flatMap(([name, [opcode, reg]]) =>
      [0, 1, 7, 8, 15, 16, 31, 33, 63, 64, 255].map((count) =>
        one(name, [0x66, 0x0f, opcode, 0xc1 | (reg << 3), count]),
      ),
    ),
    ...[0x00, 0x1b, 0xe4, 0x93].flatMap((selected) =>
      [
        ['pshufd', 0x66, 0x70],
        ['pshuflw', 0xf2, 0x70],
        ['pshufhw', 0xf3, 0x70],
        ['shufpd', 0x66, 0xc6],
      ].flatMap(([name, prefix, opcode]) =>
        media(String(name), Number(prefix), 0x0f, Number(opcode)).map((form) => ({
          ...form,
          code: [...form.code, selected],
        })),
      ),
    ),
  ];
}

/** Moves of halves, words and sign bits. */
function parts(): InstructionForm[] {
  const memory = (name: string, ...code: number[]): InstructionForm =>
    one(name, [...code, 0x43, 0x08]);
  const registers = (name: string, ...code: number[]): InstructionForm =>
    one(name, [...code, 0xc1]);
  return [
    ...[0x12, 0x13].map((opcode) => memory('movlps', 0x0f, opcode)),
    ...[0x12, 0x13].map((opcode) => memory('movlpd', 0x66, 0x0f, opcode)),
    ...[0x16, 0x17].map((opcode) => memory('movhps', 0x0f, opcode)),
    ...[0x16, 0x17].map((opcode) => memory('movhpd', 0x66, 0x0f, opcode)),
    registers('movhlps', 0x0f, 0x12),
    registers('movlhps', 0x0f, 0x16),
    registers('movmskps', 0x0f, 0x50),
    registers('movmskpd', 0x66, 0x0f, 0x50),
    registers('pmovmskb', 0x66, 0x0f, 0xd7),
    ...media('movsd', 0xf2, 0x0f, 0x10),
    ...media('movsd', 0xf2, 0x0f, 0x11),
    ...media('unpcklps', 0x0f, 0x14),
    ...media('unpckhpd', 0x66, 0x0f, 0x15),
    ...[0, 5, 9].map((index) => one('pinsrw', [0x66, 0x0f, 0xc4, 0xc1, index])),
    ...[0, 5, 9].map((index) => one('pextrw', [0x66, 0x0f, 0xc5, 0xc1, index])),
    ...[0x1b, 0x93].map((selected) => one('shufps', [0x0f, 0xc6, 0xc1, selected])),
  ];
}

/** Scalar doubles. */
function doublesOf(): InstructionForm[] {
  const names = { addsd: 0x58, mulsd: 0x59, subsd: 0x5c, minsd: 0x5d, divsd: 0x5e, maxsd: 0x5f };
  return [
    ...Object.entries(names).flatMap(([name, opcode]) =>
      media(name, 0xf2, 0x0f, opcode).map((form) => ({ ...form, oneNan: true })),
    ),
    ...media('comisd', 0x66, 0x0f, 0x2f),
    ...media('ucomisd', 0x66, 0x0f, 0x2e),
    ...[[], [0x48]].flatMap((rex) => [
      ...media('cvtsi2sd', 0xf2, ...rex, 0x0f, 0x2a),
      ...media('cvttsd2si', 0xf2, ...rex, 0x0f, 0x2c),
      ...media('cvtsd2si', 0xf2, ...rex, 0x0f, 0x2d),
    ]),
  ];
}

export const FORMS: readonly InstructionForm[] = [
  ...ARITHMETIC.flatMap((name, index) => [
    ...sized(name, [8 * index], logical(name)),
    ...sized(name, [8 * index + 2], logical(name)),
    ...[0x7f, 0x80, 0xff].flatMap((value) => [
      one(name, [8 * index + 4, value], logical(name)),
      one(name, [0x48, 0x83, 0xc0 | (index << 3), value], logical(name)),
      one(name, [0x48, 8 * index + 5, 0x12, 0x34, 0x56, value], logical(name)),
      one(name, [0x81, 0xc1 | (index << 3), 0x12, 0x34, 0x56, value], logical(name)),
    ]),
    // AH with BH, CL with CH.
    one(name, [8 * index, 0xfc], logical(name)),
    one(name, [8 * index, 0xe9], logical(name)),
  ]),
  ...sized('test', [0x84], LOGIC),
  ...sized('xchg', [0x86], ALL),
  ...sized('mov', [0x88], ALL),
  ...sized('mov', [0x8a], ALL),
  ...sized('xadd', [0x0f, 0xc0], ALL),
  ...sized('cmpxchg', [0x0f, 0xb0], ALL, [], { lowOnly: true }),
  one('cmpxchg8b', [0x0f, 0xc7, 0x4b, 0x08]),
  ...group('inc', 0xfe, 0, ALL),
  ...group('dec', 0xfe, 1, ALL),
  ...group('not', 0xf6, 2, ALL),
  ...group('neg', 0xf6, 3, ALL),
  ...group('mul', 0xf6, 4, bits('CO')),
  ...group('imul', 0xf6, 5, bits('CO')),
  ...group('div', 0xf6, 6, 0),
  ...group('idiv', 0xf6, 7, 0),
  ...wideOnly('imul', [0x0f, 0xaf], bits('CO')),
  ...[0x7f, 0xf6].flatMap((value) => wideOnly('imul', [0x6b], bits('CO'), [value])),
  ...shifts(),
  ...doubles(),
  ...bitTests(),
  ...wideOnly('bsf', [0x0f, 0xbc], F.Z, [], { lowOnly: true }),
  ...wideOnly('bsr', [0x0f, 0xbd], F.Z, [], { lowOnly: true }),
  ...wideOnly('movzx', [0x0f, 0xb6], ALL),
  ...wideOnly('movzx', [0x0f, 0xb7], ALL),
  ...wideOnly('movsx', [0x0f, 0xbe], ALL),
  ...wideOnly('movsx', [0x0f, 0xbf], ALL),
  ...wideOnly('movsxd', [0x63], ALL),
  ...CONDITIONS.flatMap((name, index) => [
    ...wideOnly(`cmov${name}`, [0x0f, 0x40 + index], ALL),
    one(`set${name}`, [0x0f, 0x90 + index, 0xc1]),
    one(`set${name}`, [0x0f, 0x90 + index, 0x43, 0x08]),
    one(`j${name}`, [0x70 + index, 0x10], ALL, { branch: true }),
    one(`j${name}`, [0x0f, 0x80 + index, 0x10, 0x01, 0, 0], ALL, { branch: true }),
  ]),
  ...[[0x48], [], [0x66], [0x67]].flatMap((prefix) => [
    one('lea', [...prefix, 0x8d, 0x44, 0xc9, 0x7f]),
    one('lea', [...prefix, 0x8d, 0x84, 0x51, 0x01, 0x80, 0xff, 0xff]),
    one('lea', [...prefix, 0x8d, 0x05, 0x10, 0, 0, 0]),
    one('lea', [...prefix, 0x8d, 0x04, 0x25, 0xff, 0xff, 0xff, 0xff]),
  ]),
  one('bswap', [0x48, 0x0f, 0xc9]),
  one('bswap', [0x0f, 0xc9]),
  ...['cbw', 'cwde', 'cdqe'].map((name, i) =>
    one(name, [...([[0x66], [], [0x48]][i] ?? []), 0x98]),
  ),
  ...['cwd', 'cdq', 'cqo'].map((name, i) => one(name, [...([[0x66], [], [0x48]][i] ?? []), 0x99])),
  one('push', [0x51]),
  one('push', [0x54]),
  one('push', [0xff, 0x73, 0x08]),
  one('push', [0x6a, 0x80]),
  one('push', [0x68, 0x12, 0x34, 0x56, 0x87]),
  one('pop', [0x59]),
  one('pop', [0x5c]),
  one('pop', [0x8f, 0x43, 0x08]),
  one('pushfq', [0x9c]),
  one('push', [0x66, 0x51]),
  one('push', [0x66, 0x54]),
  one('push', [0x66, 0xff, 0x73, 0x08]),
  one('push', [0x66, 0x6a, 0x80]),
  one('push', [0x66, 0x68, 0x12, 0x34]),
  one('pop', [0x66, 0x59]),
  one('pop', [0x66, 0x5c]),
  one('pop', [0x66, 0x8f, 0x43, 0x08]),
  one('pushf', [0x66, 0x9c]),
  one('leave', [0xc9]),
  one('leave', [0x66, 0xc9]),
  one('enter', [0xc8, 0x08, 0x00, 0x00]),
  one('sahf', [0x9e]),
  one('lahf', [0x9f]),
  one('clc', [0xf8]),
  one('stc', [0xf9]),
  one('cmc', [0xf5]),
  one('call', [0xe8, 0x10, 0, 0, 0], ALL, { branch: true }),
  one('jmp', [0xeb, 0x20], ALL, { branch: true }),
  one('loop', [0xe2, 0x10], ALL, { branch: true }),
  one('loope', [0xe1, 0x10], ALL, { branch: true }),
  one('loopne', [0xe0, 0x10], ALL, { branch: true }),
  one('jrcxz', [0xe3, 0x10], ALL, { branch: true }),
  one('jecxz', [0x67, 0xe3, 0x10], ALL, { branch: true }),
  ...strings(),
  ...media('movups', 0x0f, 0x10),
  ...media('movdqu', 0xf3, 0x0f, 0x6f),
  ...media('movdqa', 0x66, 0x0f, 0x6f),
  ...media('movss', 0xf3, 0x0f, 0x10),
  ...media('movd', 0x66, 0x0f, 0x6e),
  ...media('movd', 0x66, 0x0f, 0x7e),
  ...media('movq', 0x66, 0x48, 0x0f, 0x6e),
  ...media('movq', 0xf3, 0x0f, 0x7e),
  ...media('movq', 0x66, 0x0f, 0xd6),
  ...media('movups', 0x0f, 0x11),
  ...media('movdqa', 0x66, 0x0f, 0x7f),
  ...media('xorps', 0x0f, 0x57),
  ...media('andps', 0x0f, 0x54),
  ...media('orps', 0x0f, 0x56),
  ...packed(),
  ...parts(),
  ...doublesOf(),
];
