/**
 * VEX and EVEX encodings (APM vol. 3, 1.8, appendix A): those that kernels contain. The machine has no AVX and no BMI:
 * executing one is a #UD; a disassembly and a decoder that is compared over a kernel's text need them.
 */
import type { Entry, OpcodeMap } from './table.js';

const only66 = (row: Entry): Entry => ({ prefix: { p66: row } });
/** An operation of three operands. */
const three = (name: string): Entry => only66(`${name} Vx,Hx,Wx`);

/** By the map that the prefix selects: 1 is 0F, 2 is 0F 38, 3 is 0F 3A. */
export const VEX_MAPS: Readonly<Record<number, OpcodeMap>> = {
  1: {
    0x57: { prefix: { np: 'vxorps Vx,Hx,Wx', p66: 'vxorpd Vx,Hx,Wx' } },
    0x6e: only66({ w: ['vmovd Vo,Ey', 'vmovq Vo,Ey'] }),
    0x6f: { prefix: { p66: 'vmovdqa Vx,Wx', f3: 'vmovdqu Vx,Wx' } },
    0x70: only66('vpshufd Vx,Wx,Ib'),
    0x77: { prefix: { np: { l: ['vzeroupper', 'vzeroall'] } } },
    0x7e: { prefix: { p66: { w: ['vmovd Ey,Vo', 'vmovq Ey,Vo'] }, f3: 'vmovq Vo,Wq' } },
    0x7f: { prefix: { p66: 'vmovdqa Wx,Vx', f3: 'vmovdqu Wx,Vx' } },
    0xd4: three('vpaddq'),
    0xdb: three('vpand'),
    0xdf: three('vpandn'),
    0xeb: three('vpor'),
    0xef: three('vpxor'),
    0xfa: three('vpsubd'),
    0xfb: three('vpsubq'),
    0xfc: three('vpaddb'),
    0xfd: three('vpaddw'),
    0xfe: three('vpaddd'),
  },
  2: {
    0x00: three('vpshufb'),
    0x49: { mod: [null, { reg: [{ rm: [{ prefix: { np: { w: ['tilerelease', null] } } }] }] }] },
    0xf2: { prefix: { np: 'andn Gy,By,Ey' } },
    0xf3: {
      reg: [
        null,
        { prefix: { np: 'blsr By,Ey' } },
        { prefix: { np: 'blsmsk By,Ey' } },
        { prefix: { np: 'blsi By,Ey' } },
      ],
    },
    0xf5: { prefix: { np: 'bzhi Gy,Ey,By', f3: 'pext Gy,By,Ey', f2: 'pdep Gy,By,Ey' } },
    0xf6: { prefix: { f2: 'mulx Gy,By,Ey' } },
    0xf7: {
      prefix: {
        np: 'bextr Gy,Ey,By',
        p66: 'shlx Gy,Ey,By',
        f3: 'sarx Gy,Ey,By',
        f2: 'shrx Gy,Ey,By',
      },
    },
  },
  3: {
    0x39: only66({ l: [null, { w: ['vextracti128 Wo,Vx,Ib', null] }] }),
    0xf0: { prefix: { f2: 'rorx Gy,Ey,Ib' } },
  },
};

export const EVEX_MAPS: Readonly<Record<number, OpcodeMap>> = {
  1: {
    0x72: { reg: [only66({ w: ['vprord Hx,Wx,Ib', 'vprorq Hx,Wx,Ib'] })] },
    0xef: only66({ w: ['vpxord Vx,Hx,Wx', 'vpxorq Vx,Hx,Wx'] }),
    0xfe: only66({ w: ['vpaddd Vx,Hx,Wx', null] }),
  },
  2: {
    0x76: only66({ w: ['vpermi2d Vx,Hx,Wx', 'vpermi2q Vx,Hx,Wx'] }),
  },
};
