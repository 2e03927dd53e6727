/** MMX and SSE instructions of the map 0F xx, and the maps 0F 38 and 0F 3A (APM vol. 3, tables ). */
import type { Entry, OpcodeMap } from './table.js';

/** MMX with the rows of 64 bits, SSE2 with those of 128. */
const both = (name: string): Entry => ({
  prefix: { np: `${name} Pq,Qq`, p66: `${name} Vo,Wo` },
});
/** The four types of a floating-point operation. */
const floats = (name: string): Entry => ({
  prefix: {
    np: `${name}ps Vo,Wo`,
    p66: `${name}pd Vo,Wo`,
    f3: `${name}ss Vo,Wd`,
    f2: `${name}sd Vo,Wq`,
  },
});
const packed = (ps: string, pd: string): Entry => ({ prefix: { np: ps, p66: pd } });
const only66 = (row: string): Entry => ({ prefix: { p66: row } });
const shift = (names: readonly (string | null)[]): Entry => ({
  mod: [
    null,
    {
      reg: names.map((name) =>
        name === null
          ? null
          : name.endsWith('dq')
            ? only66(`${name} Uo,Ib`)
            : { prefix: { np: `${name} Nq,Ib`, p66: `${name} Uo,Ib` } },
      ),
    },
  ],
});
const each = (names: Readonly<Record<number, string>>, entry: (name: string) => Entry): OpcodeMap =>
  Object.fromEntries(Object.entries(names).map(([opcode, name]) => [opcode, entry(name)]));

export const MAP_SSE: OpcodeMap = {
  0x10: {
    prefix: { np: 'movups Vo,Wo', p66: 'movupd Vo,Wo', f3: 'movss Vo,Wd', f2: 'movsd Vo,Wq' },
  },
  0x11: {
    prefix: { np: 'movups Wo,Vo', p66: 'movupd Wo,Vo', f3: 'movss Wd,Vo', f2: 'movsd Wq,Vo' },
  },
  0x12: {
    prefix: {
      np: { mod: ['movlps Vo,Mq', 'movhlps Vo,Uo'] },
      p66: 'movlpd Vo,Mq',
      f3: 'movsldup Vo,Wo',
      f2: 'movddup Vo,Wq',
    },
  },
  0x13: packed('movlps Mq,Vo', 'movlpd Mq,Vo'),
  0x14: packed('unpcklps Vo,Wo', 'unpcklpd Vo,Wo'),
  0x15: packed('unpckhps Vo,Wo', 'unpckhpd Vo,Wo'),
  0x16: {
    prefix: {
      np: { mod: ['movhps Vo,Mq', 'movlhps Vo,Uo'] },
      p66: 'movhpd Vo,Mq',
      f3: 'movshdup Vo,Wo',
    },
  },
  0x17: packed('movhps Mq,Vo', 'movhpd Mq,Vo'),
  0x28: packed('movaps Vo,Wo', 'movapd Vo,Wo'),
  0x29: packed('movaps Wo,Vo', 'movapd Wo,Vo'),
  0x2a: {
    prefix: {
      np: 'cvtpi2ps Vo,Qq',
      p66: 'cvtpi2pd Vo,Qq',
      f3: 'cvtsi2ss Vo,Ey',
      f2: 'cvtsi2sd Vo,Ey',
    },
  },
  0x2b: packed('movntps Mo,Vo', 'movntpd Mo,Vo'),
  0x2c: {
    prefix: {
      np: 'cvttps2pi Pq,Wq',
      p66: 'cvttpd2pi Pq,Wo',
      f3: 'cvttss2si Gy,Wd',
      f2: 'cvttsd2si Gy,Wq',
    },
  },
  0x2d: {
    prefix: {
      np: 'cvtps2pi Pq,Wq',
      p66: 'cvtpd2pi Pq,Wo',
      f3: 'cvtss2si Gy,Wd',
      f2: 'cvtsd2si Gy,Wq',
    },
  },
  0x2e: packed('ucomiss Vo,Wd', 'ucomisd Vo,Wq'),
  0x2f: packed('comiss Vo,Wd', 'comisd Vo,Wq'),
  0x50: packed('movmskps Gy,Uo', 'movmskpd Gy,Uo'),
  ...each({ 0x51: 'sqrt', 0x58: 'add', 0x59: 'mul', 0x5c: 'sub' }, floats),
  ...each({ 0x5d: 'min', 0x5e: 'div', 0x5f: 'max' }, floats),
  0x52: { prefix: { np: 'rsqrtps Vo,Wo', f3: 'rsqrtss Vo,Wd' } },
  0x53: { prefix: { np: 'rcpps Vo,Wo', f3: 'rcpss Vo,Wd' } },
  0x54: packed('andps Vo,Wo', 'andpd Vo,Wo'),
  0x55: packed('andnps Vo,Wo', 'andnpd Vo,Wo'),
  0x56: packed('orps Vo,Wo', 'orpd Vo,Wo'),
  0x57: packed('xorps Vo,Wo', 'xorpd Vo,Wo'),
  0x5a: {
    prefix: {
      np: 'cvtps2pd Vo,Wq',
      p66: 'cvtpd2ps Vo,Wo',
      f3: 'cvtss2sd Vo,Wd',
      f2: 'cvtsd2ss Vo,Wq',
    },
  },
  0x5b: {
    prefix: { np: 'cvtdq2ps Vo,Wo', p66: 'cvtps2dq Vo,Wo', f3: 'cvttps2dq Vo,Wo' },
  },
  ...each(
    {
      0x63: 'packsswb',
      0x64: 'pcmpgtb',
      0x65: 'pcmpgtw',
      0x66: 'pcmpgtd',
      0x67: 'packuswb',
      0x68: 'punpckhbw',
      0x69: 'punpckhwd',
      0x6a: 'punpckhdq',
      0x6b: 'packssdw',
      0x74: 'pcmpeqb',
      0x75: 'pcmpeqw',
      0x76: 'pcmpeqd',
      0xd1: 'psrlw',
      0xd2: 'psrld',
      0xd3: 'psrlq',
      0xd4: 'paddq',
      0xd5: 'pmullw',
      0xd8: 'psubusb',
      0xd9: 'psubusw',
      0xda: 'pminub',
      0xdb: 'pand',
      0xdc: 'paddusb',
      0xdd: 'paddusw',
      0xde: 'pmaxub',
      0xdf: 'pandn',
      0xe0: 'pavgb',
      0xe1: 'psraw',
      0xe2: 'psrad',
      0xe3: 'pavgw',
      0xe4: 'pmulhuw',
      0xe5: 'pmulhw',
      0xe8: 'psubsb',
      0xe9: 'psubsw',
      0xea: 'pminsw',
      0xeb: 'por',
      0xec: 'paddsb',
      0xed: 'paddsw',
      0xee: 'pmaxsw',
      0xef: 'pxor',
      0xf1: 'psllw',
      0xf2: 'pslld',
      0xf3: 'psllq',
      0xf4: 'pmuludq',
      0xf5: 'pmaddwd',
      0xf6: 'psadbw',
      0xf8: 'psubb',
      0xf9: 'psubw',
      0xfa: 'psubd',
      0xfb: 'psubq',
      0xfc: 'paddb',
      0xfd: 'paddw',
      0xfe: 'paddd',
    },
    both,
  ),
  ...each({ 0x60: 'punpcklbw', 0x61: 'punpcklwd', 0x62: 'punpckldq' }, (name) => ({
    prefix: { np: `${name} Pq,Qd`, p66: `${name} Vo,Wo` },
  })),
  0x6c: only66('punpcklqdq Vo,Wo'),
  0x6d: only66('punpckhqdq Vo,Wo'),
  0x6e: {
    prefix: { np: { w: ['movd Pq,Ey', 'movq Pq,Ey'] }, p66: { w: ['movd Vo,Ey', 'movq Vo,Ey'] } },
  },
  0x6f: { prefix: { np: 'movq Pq,Qq', p66: 'movdqa Vo,Wo', f3: 'movdqu Vo,Wo' } },
  0x70: {
    prefix: {
      np: 'pshufw Pq,Qq,Ib',
      p66: 'pshufd Vo,Wo,Ib',
      f3: 'pshufhw Vo,Wo,Ib',
      f2: 'pshuflw Vo,Wo,Ib',
    },
  },
  0x71: shift([null, null, 'psrlw', null, 'psraw', null, 'psllw']),
  0x72: shift([null, null, 'psrld', null, 'psrad', null, 'pslld']),
  0x73: shift([null, null, 'psrlq', 'psrldq', null, null, 'psllq', 'pslldq']),
  0x77: { prefix: { np: 'emms' } },
  0x7c: { prefix: { p66: 'haddpd Vo,Wo', f2: 'haddps Vo,Wo' } },
  0x7d: { prefix: { p66: 'hsubpd Vo,Wo', f2: 'hsubps Vo,Wo' } },
  0x7e: {
    prefix: {
      np: { w: ['movd Ey,Pq', 'movq Ey,Pq'] },
      p66: { w: ['movd Ey,Vo', 'movq Ey,Vo'] },
      f3: 'movq Vo,Wq',
    },
  },
  0x7f: { prefix: { np: 'movq Qq,Pq', p66: 'movdqa Wo,Vo', f3: 'movdqu Wo,Vo' } },
  0xc2: {
    prefix: {
      np: 'cmpps Vo,Wo,Ib',
      p66: 'cmppd Vo,Wo,Ib',
      f3: 'cmpss Vo,Wd,Ib',
      f2: 'cmpsd Vo,Wq,Ib',
    },
  },
  0xc4: { prefix: { np: 'pinsrw Pq,Ey/w,Ib', p66: 'pinsrw Vo,Ey/w,Ib' } },
  0xc5: { prefix: { np: 'pextrw Gy,Nq,Ib', p66: 'pextrw Gy,Uo,Ib' } },
  0xc6: packed('shufps Vo,Wo,Ib', 'shufpd Vo,Wo,Ib'),
  0xd0: { prefix: { p66: 'addsubpd Vo,Wo', f2: 'addsubps Vo,Wo' } },
  0xd6: { prefix: { p66: 'movq Wq,Vo', f3: 'movq2dq Vo,Nq', f2: 'movdq2q Pq,Uo' } },
  0xd7: { prefix: { np: 'pmovmskb Gy,Nq', p66: 'pmovmskb Gy,Uo' } },
  0xe6: { prefix: { p66: 'cvttpd2dq Vo,Wo', f3: 'cvtdq2pd Vo,Wq', f2: 'cvtpd2dq Vo,Wo' } },
  0xe7: { prefix: { np: 'movntq Mq,Pq', p66: 'movntdq Mo,Vo' } },
  0xf0: { prefix: { f2: 'lddqu Vo,Mo' } },
  0xf7: { prefix: { np: 'maskmovq KDIq,Pq,Nq', p66: 'maskmovdqu KDIo,Vo,Uo' } },
};

export const MAP_0F38: OpcodeMap = {
  ...each(
    {
      0x00: 'pshufb',
      0x01: 'phaddw',
      0x02: 'phaddd',
      0x03: 'phaddsw',
      0x04: 'pmaddubsw',
      0x05: 'phsubw',
      0x06: 'phsubd',
      0x07: 'phsubsw',
      0x08: 'psignb',
      0x09: 'psignw',
      0x0a: 'psignd',
      0x0b: 'pmulhrsw',
      0x1c: 'pabsb',
      0x1d: 'pabsw',
      0x1e: 'pabsd',
    },
    both,
  ),
  ...each(
    {
      0x17: 'ptest',
      0x28: 'pmuldq',
      0x29: 'pcmpeqq',
      0x2b: 'packusdw',
      0x37: 'pcmpgtq',
      0x38: 'pminsb',
      0x39: 'pminsd',
      0x3a: 'pminuw',
      0x3b: 'pminud',
      0x3c: 'pmaxsb',
      0x3d: 'pmaxsd',
      0x3e: 'pmaxuw',
      0x3f: 'pmaxud',
      0x40: 'pmulld',
      0xdb: 'aesimc',
      0xdc: 'aesenc',
      0xdd: 'aesenclast',
      0xde: 'aesdec',
      0xdf: 'aesdeclast',
    },
    (name) => only66(`${name} Vo,Wo`),
  ),
  0x2a: only66('movntdqa Vo,Mo'),
  0x80: only66('invept Gm,Mo'),
  0x81: only66('invvpid Gm,Mo'),
  0x82: only66('invpcid Gm,Mo'),
  ...each(
    {
      0xc8: 'sha1nexte',
      0xc9: 'sha1msg1',
      0xca: 'sha1msg2',
      0xcc: 'sha256msg1',
      0xcd: 'sha256msg2',
    },
    (name) => ({ prefix: { np: `${name} Vo,Wo` } }),
  ),
  0xcb: { prefix: { np: 'sha256rnds2 Vo,Wo' } },
  0xf0: { prefix: { np: 'movbe Gv,Mv', p66: 'movbe Gv,Mv', f2: 'crc32 Gy,Eb' } },
  0xf1: { prefix: { np: 'movbe Mv,Gv', p66: 'movbe Mv,Gv', f2: 'crc32 Gy,Ev' } },
  0xf5: { prefix: { p66: { w: ['wrussd My,Gy', 'wrussq My,Gy'] } } },
  0xf6: {
    prefix: { np: { w: ['wrssd My,Gy', 'wrssq My,Gy'] }, p66: 'adcx Gy,Ey', f3: 'adox Gy,Ey' },
  },
};

export const MAP_0F3A: OpcodeMap = {
  0x0f: { prefix: { np: 'palignr Pq,Qq,Ib', p66: 'palignr Vo,Wo,Ib' } },
  0x14: only66('pextrb Ey/b,Vo,Ib'),
  0x15: only66('pextrw Ey/w,Vo,Ib'),
  0x16: { prefix: { p66: { w: ['pextrd Ey,Vo,Ib', 'pextrq Ey,Vo,Ib'] } } },
  0x20: only66('pinsrb Vo,Ey/b,Ib'),
  0x22: { prefix: { p66: { w: ['pinsrd Vo,Ey,Ib', 'pinsrq Vo,Ey,Ib'] } } },
  0x44: only66('pclmulqdq Vo,Wo,Ib'),
  0xcc: { prefix: { np: 'sha1rnds4 Vo,Wo,Ib' } },
  0xdf: only66('aeskeygenassist Vo,Wo,Ib'),
};
