/** The x87 opcodes D8 to DF (APM vol. 3, table A-15): by ModRM.reg for memory, by the whole byte for registers. */
import type { Entry, OpcodeMap } from './table.js';

const ARITHMETIC = ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr'] as const;
const INTEGER = [
  'fiadd',
  'fimul',
  'ficom',
  'ficomp',
  'fisub',
  'fisubr',
  'fidiv',
  'fidivr',
] as const;

const list = (names: readonly string[], operands: string): Entry[] =>
  names.map((name) => `${name} ${operands}`);
/** A group whose memory forms and register forms are apart. */
const group = (memory: readonly Entry[], registers: readonly Entry[]): Entry => ({
  mod: [{ reg: memory }, { reg: registers }],
});
const byRm = (...names: (string | null)[]): Entry => ({ rm: names });

export const MAP_X87: OpcodeMap = {
  0xd8: group(list(ARITHMETIC, 'Md'), list(ARITHMETIC, 'ST0,STi')),
  0xd9: group(
    [
      'fld Md',
      null,
      'fst Md',
      'fstp Md',
      'fldenv M14/28',
      'fldcw Mw',
      'fnstenv M14/28',
      'fnstcw Mw',
    ],
    [
      'fld STi',
      'fxch ST0,STi',
      byRm('fnop'),
      'fstpnce STi',
      byRm('fchs', 'fabs', null, null, 'ftst', 'fxam'),
      byRm('fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'),
      byRm('f2xm1', 'fyl2x', 'fptan', 'fpatan', 'fxtract', 'fprem1', 'fdecstp', 'fincstp'),
      byRm('fprem', 'fyl2xp1', 'fsqrt', 'fsincos', 'frndint', 'fscale', 'fsin', 'fcos'),
    ],
  ),
  0xda: group(list(INTEGER, 'Md'), [
    'fcmovb ST0,STi',
    'fcmove ST0,STi',
    'fcmovbe ST0,STi',
    'fcmovu ST0,STi',
    null,
    byRm(null, 'fucompp'),
  ]),
  0xdb: group(
    ['fild Md', 'fisttp Md', 'fist Md', 'fistp Md', null, 'fld Mt', null, 'fstp Mt'],
    [
      'fcmovnb ST0,STi',
      'fcmovne ST0,STi',
      'fcmovnbe ST0,STi',
      'fcmovnu ST0,STi',
      byRm('fneni', 'fndisi', 'fnclex', 'fninit', 'fnsetpm'),
      'fucomi ST0,STi',
      'fcomi ST0,STi',
    ],
  ),
  0xdc: group(list(ARITHMETIC, 'Mq'), [
    'fadd STi,ST0',
    'fmul STi,ST0',
    'fcom ST0,STi',
    'fcomp ST0,STi',
    'fsubr STi,ST0',
    'fsub STi,ST0',
    'fdivr STi,ST0',
    'fdiv STi,ST0',
  ]),
  0xdd: group(
    [
      'fld Mq',
      'fisttp Mq',
      'fst Mq',
      'fstp Mq',
      'frstor M94/108',
      null,
      'fnsave M94/108',
      'fnstsw Mw',
    ],
    ['ffree STi', 'fxch ST0,STi', 'fst STi', 'fstp STi', 'fucom ST0,STi', 'fucomp ST0,STi'],
  ),
  0xde: group(list(INTEGER, 'Mw'), [
    'faddp STi,ST0',
    'fmulp STi,ST0',
    'fcomp ST0,STi',
    byRm(null, 'fcompp'),
    'fsubrp STi,ST0',
    'fsubp STi,ST0',
    'fdivrp STi,ST0',
    'fdivp STi,ST0',
  ]),
  0xdf: group(
    ['fild Mw', 'fisttp Mw', 'fist Mw', 'fistp Mw', 'fbld Mt', 'fild Mq', 'fbstp Mt', 'fistp Mq'],
    [
      'ffreep STi',
      'fxch ST0,STi',
      'fstp STi',
      'fstp STi',
      byRm('fnstsw AX'),
      'fucomip ST0,STi',
      'fcomip ST0,STi',
    ],
  ),
};
