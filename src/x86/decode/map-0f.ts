/** The two-byte opcode map, 0F xx, but for the SSE instructions (APM vol. 3, tables ). */
import { CONDITIONS } from './map-one-byte.js';
import type { Entry, OpcodeMap } from './table.js';

const conditional = (first: number, row: (condition: string) => string): OpcodeMap =>
  Object.fromEntries(CONDITIONS.map((condition, index) => [first + index, row(condition)]));
const np = (row: Entry): Entry => ({ prefix: { np: row } });
const f3 = (row: Entry): Entry => ({ prefix: { f3: row } });
const nopRows = (row: string): Entry[] => Array.from({ length: 8 }, () => row);

/** 0F 01 with mod 3, by ModRM.reg and r/m (table A-6, group 7). */
const GROUP7_REGISTER: readonly Entry[] = [
  { rm: [null, np('vmcall'), np('vmlaunch'), np('vmresume'), np('vmxoff'), np('pconfig')] },
  {
    rm: [
      np('monitor'),
      np('mwait'),
      np('clac'),
      np('stac'),
      { prefix: { p66: 'tdcall' } },
      { prefix: { p66: 'seamret' } },
      { prefix: { p66: 'seamops' } },
      { prefix: { np: 'encls', p66: 'seamcall' } },
    ],
  },
  {
    rm: [
      np('xgetbv'),
      np('xsetbv'),
      null,
      null,
      np('vmfunc'),
      np('xend'),
      np('xtest'),
      np('enclu'),
    ],
  },
  {
    rm: [
      'vmrun arAX',
      { prefix: { np: 'vmmcall', p66: 'vmmcall', f3: 'vmgexit', f2: 'vmgexit' } },
      'vmload arAX',
      'vmsave arAX',
      'stgi',
      'clgi',
      'skinit EAX',
      'invlpga arAX,ECX',
    ],
  },
  'smsw Rv',
  {
    rm: [
      { prefix: { np: 'serialize', f3: 'setssbsy' } },
      null,
      f3('saveprevssp'),
      null,
      null,
      null,
      np('rdpkru'),
      np('wrpkru'),
    ],
  },
  'lmsw Rv',
  {
    rm: [
      'swapgs o64',
      'rdtscp',
      { prefix: { np: 'monitorx', f3: 'mcommit' } },
      np('mwaitx'),
      'clzero arAX',
      np('rdpru'),
      { prefix: { np: 'invlpgb', f3: 'rmpadjust', f2: 'rmpupdate' } },
      { prefix: { np: 'tlbsync', f3: 'psmash', f2: 'pvalidate' } },
    ],
  },
];

/** 0F 0D by ModRM.reg (APM vol. 3, table A-6, group P). */
const PREFETCH = ['prefetch Mb', 'prefetchw Mb', 'prefetchwt1 Mb', 'prefetchw Mb'] as const;

export const MAP_0F: OpcodeMap = {
  0x00: {
    reg: [
      'sldt Ev/w',
      'str Ev/w',
      'lldt Ev/w',
      'ltr Ev/w',
      'verr Ev/w',
      'verw Ev/w',
      { prefix: { f2: 'lkgs Ev/w o64' } },
    ],
  },
  0x01: {
    mod: [
      {
        reg: [
          'sgdt Ms',
          'sidt Ms',
          'lgdt Ms',
          'lidt Ms',
          'smsw Mw',
          f3('rstorssp Mq'),
          'lmsw Mw',
          'invlpg M',
        ],
      },
      { reg: GROUP7_REGISTER },
    ],
  },
  0x02: 'lar Gv,Ev/w',
  0x03: 'lsl Gv,Ev/w',
  0x05: 'syscall',
  0x06: 'clts',
  0x07: { w: ['sysret', 'sysretq'] },
  0x08: 'invd',
  0x09: { prefix: { np: 'wbinvd', p66: 'wbinvd', f3: 'wbnoinvd', f2: 'wbinvd' } },
  0x0b: 'ud2',
  0x0d: { mod: [{ reg: [...PREFETCH, ...nopRows('prefetch Mb').slice(4)] }, 'nop Ev'] },
  0x0e: 'femms',
  0x18: {
    mod: [
      {
        reg: [
          'prefetchnta Mb',
          'prefetcht0 Mb',
          'prefetcht1 Mb',
          'prefetcht2 Mb',
          ...nopRows('nop Ev').slice(4),
        ],
      },
      'nop Ev',
    ],
  },
  0x19: 'nop Ev',
  0x1a: 'nop Ev',
  0x1b: 'nop Ev',
  0x1c: 'nop Ev',
  0x1d: 'nop Ev',
  0x1e: {
    prefix: {
      np: 'nop Ev',
      p66: 'nop Ev',
      f2: 'nop Ev',
      f3: {
        mod: [
          'nop Ev',
          {
            reg: [
              'nop Ev',
              { w: ['rdsspd Rd', 'rdsspq Rq'] },
              ...nopRows('nop Ev').slice(3),
              {
                rm: [
                  ...nopRows('nop Ev').slice(6),
                  'endbr64',
                  'endbr32',
                  ...nopRows('nop Ev').slice(4),
                ],
              },
            ],
          },
        ],
      },
    },
  },
  0x1f: 'nop Ev',
  0x20: 'mov Rm,Cm mod3',
  0x21: 'mov Rm,Dm mod3',
  0x22: 'mov Cm,Rm mod3',
  0x23: 'mov Dm,Rm mod3',
  0x30: 'wrmsr',
  0x31: 'rdtsc',
  0x32: 'rdmsr',
  0x33: 'rdpmc',
  0x34: 'sysenter i64',
  0x35: { mode: [{ w: ['sysexit', 'sysexitq'] }, null] },
  ...conditional(0x40, (condition) => `cmov${condition} Gv,Ev`),
  ...conditional(0x80, (condition) => `j${condition} Jz d64`),
  ...conditional(0x90, (condition) => `set${condition} Eb`),
  0xa0: 'push FS d64',
  0xa1: 'pop FS d64',
  0xa2: 'cpuid',
  0xa3: 'bt Ev,Gv',
  0xa4: 'shld Ev,Gv,Ib',
  0xa5: 'shld Ev,Gv,CL',
  0xa8: 'push GS d64',
  0xa9: 'pop GS d64',
  0xaa: 'rsm',
  0xab: 'bts Ev,Gv lock',
  0xac: 'shrd Ev,Gv,Ib',
  0xad: 'shrd Ev,Gv,CL',
  0xae: {
    mod: [
      {
        reg: [
          np({ w: ['fxsave M512', 'fxsave64 M512'] }),
          np({ w: ['fxrstor M512', 'fxrstor64 M512'] }),
          np('ldmxcsr Md'),
          np('stmxcsr Md'),
          np({ w: ['xsave M', 'xsave64 M'] }),
          np({ w: ['xrstor M', 'xrstor64 M'] }),
          {
            prefix: {
              np: { w: ['xsaveopt M', 'xsaveopt64 M'] },
              p66: 'clwb Mb',
              f3: 'clrssbsy Mq',
            },
          },
          { prefix: { np: 'clflush Mb', p66: 'clflushopt Mb' } },
        ],
      },
      {
        reg: [
          f3('rdfsbase Ry o64'),
          f3('rdgsbase Ry o64'),
          f3('wrfsbase Ry o64'),
          f3('wrgsbase Ry o64'),
          f3('ptwrite Ry'),
          { prefix: { np: 'lfence', f3: { w: ['incsspd Rd', 'incsspq Rq'] } } },
          { prefix: { np: 'mfence', p66: 'tpause Rd', f3: 'umonitor Ra', f2: 'umwait Rd' } },
          np('sfence'),
        ],
      },
    ],
  },
  0xaf: 'imul Gv,Ev',
  0xb0: 'cmpxchg Eb,Gb lock',
  0xb1: 'cmpxchg Ev,Gv lock',
  0xb2: 'lss Gz,Mp',
  0xb3: 'btr Ev,Gv lock',
  0xb4: 'lfs Gz,Mp',
  0xb5: 'lgs Gz,Mp',
  0xb6: 'movzx Gv,Eb',
  0xb7: 'movzx Gv,Ew',
  0xb8: f3('popcnt Gv,Ev'),
  0xb9: 'ud1 Gv,Ev',
  0xba: {
    reg: [null, null, null, null, 'bt Ev,Ib', 'bts Ev,Ib lock', 'btr Ev,Ib lock', 'btc Ev,Ib lock'],
  },
  0xbb: 'btc Ev,Gv lock',
  0xbc: { prefix: { np: 'bsf Gv,Ev', p66: 'bsf Gv,Ev', f2: 'bsf Gv,Ev', f3: 'tzcnt Gv,Ev' } },
  0xbd: { prefix: { np: 'bsr Gv,Ev', p66: 'bsr Gv,Ev', f2: 'bsr Gv,Ev', f3: 'lzcnt Gv,Ev' } },
  0xbe: 'movsx Gv,Eb',
  0xbf: 'movsx Gv,Ew',
  0xc0: 'xadd Eb,Gb lock',
  0xc1: 'xadd Ev,Gv lock',
  0xc3: np('movnti My,Gy'),
  0xc7: {
    mod: [
      {
        reg: [
          null,
          { w: ['cmpxchg8b Mq lock', 'cmpxchg16b Mo lock'] },
          null,
          np({ w: ['xrstors M', 'xrstors64 M'] }),
          np({ w: ['xsavec M', 'xsavec64 M'] }),
          np({ w: ['xsaves M', 'xsaves64 M'] }),
          { prefix: { np: 'vmptrld Mq', p66: 'vmclear Mq', f3: 'vmxon Mq' } },
          np('vmptrst Mq'),
        ],
      },
      {
        reg: [
          null,
          null,
          null,
          null,
          null,
          null,
          { prefix: { np: 'rdrand Rv', p66: 'rdrand Rv' } },
          { prefix: { np: 'rdseed Rv', p66: 'rdseed Rv', f3: 'rdpid Rm' } },
        ],
      },
    ],
  },
  ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [0xc8 + i, 'bswap Zv'])),
  0xff: 'ud0',
};
