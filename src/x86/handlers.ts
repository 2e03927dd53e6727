/** The operation of an instruction, by its mnemonic. */
import { ALU } from './alu.js';
import { BITS } from './bits.js';
import { CONTROL_FLOW } from './control-flow.js';
import { moveControl } from './control-registers.js';
import { EXCHANGE } from './exchange.js';
import { EXCEPTION, NotModelledSignal, raise } from './faults.js';
import { FP_STATE } from './fp-state.js';
import { INTERRUPTS } from './interrupts.js';
import { legacyHandler } from './legacy.js';
import { MEDIA } from './media.js';
import { MEDIA_DOUBLE } from './media-double.js';
import { MEDIA_INTEGER } from './media-integer.js';
import { MEDIA_MOVSD, MEDIA_PARTS } from './media-parts.js';
import { MOVES } from './moves.js';
import { MULTIPLY } from './multiply.js';
import type { Op, Site } from './operands.js';
import { SHIFT_OPS } from './shifts.js';
import { STACK } from './stack.js';
import { STRINGS } from './strings.js';
import { SYSTEM } from './system.js';
import { X87 } from './x87.js';

type Handler = (site: Site) => Op;

const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  Object.entries({
    ...ALU,
    ...EXCHANGE,
    ...STACK,
    ...BITS,
    ...MOVES,
    ...SHIFT_OPS,
    ...MULTIPLY,
    ...STRINGS,
    ...CONTROL_FLOW,
    ...INTERRUPTS,
    ...SYSTEM,
    ...MEDIA,
    ...MEDIA_DOUBLE,
    ...MEDIA_INTEGER,
    ...MEDIA_PARTS,
    ...FP_STATE,
    ...X87,
  }),
);

/** Media instructions whose mnemonic a string instruction has too; null: not modelled. */
const SHARED: ReadonlyMap<string, Handler | null> = new Map([
  ['movsd', MEDIA_MOVSD],
  ['cmpsd', null],
]);

/** Bits of ECX of CPUID Fn0000_0001 by the instructions that they announce (APM vol. 3, appendix D). */
const FEATURE_ECX: ReadonlyMap<string, number> = new Map([
  ['monitor', 3],
  ['mwait', 3],
  ['pshufb', 9],
  ['cmpxchg16b', 13],
  ['crc32', 20],
  ['movbe', 22],
  ['popcnt', 23],
  ['xsave', 26],
  ['xsave64', 26],
  ['xrstor', 26],
  ['xrstor64', 26],
  ['xgetbv', 27],
  ['xsetbv', 27],
  ['rdrand', 30],
]);
/** Instructions whose feature no processor of the machine has: they are a #UD. */
const NO_FEATURE: ReadonlySet<string> = new Set([
  ...[
    'clac',
    'stac',
    'invpcid',
    'rdfsbase',
    'rdgsbase',
    'wrfsbase',
    'wrgsbase',
    'rdpkru',
    'wrpkru',
  ],
  ...[
    'rdtscp',
    'rdpid',
    'rdseed',
    'serialize',
    'clflushopt',
    'clwb',
    'vmcall',
    'encls',
    'enclu',
    'vmxoff',
  ],
  ...['xsaveopt', 'xsaveopt64', 'xsavec', 'xsavec64', 'xsaves', 'xsaves64', 'xrstors', 'xrstors64'],
  ...[
    'vmgexit',
    'pvalidate',
    'rmpadjust',
    'rmpupdate',
    'psmash',
    'tdcall',
    'wrussq',
    'wrussd',
    'lkgs',
  ],
]);

/** Instructions with a VEX prefix and of BMI, and the virtual machine's own. */
const VECTOR = /^(?:v(?!err|erw)|andn|bls|bzhi|pext$|pdep$|mulx|bextr|shlx|sarx|shrx|rorx|tile)/;

/** The mnemonics that have an operation. */
export const MNEMONICS: readonly string[] = [...HANDLERS.keys()];

const usesMedia = ({ instruction }: Site): boolean =>
  instruction.operands.some((each) => each.kind === 'register' && each.file === 'xmm');
const usesControl = ({ instruction }: Site): boolean =>
  instruction.operands.some(
    (each) => each.kind === 'register' && (each.file === 'control' || each.file === 'debug'),
  );

/** The operation at a site. One that is not modelled throws its name when it runs, not here. */
export function operationOf(site: Site): Op {
  const { mnemonic } = site.instruction;
  try {
    const bit = FEATURE_ECX.get(mnemonic);
    const lacking = bit !== undefined && ((site.core.cpu.cpuid(1).ecx >>> bit) & 1) === 0;
    if (lacking || NO_FEATURE.has(mnemonic) || VECTOR.test(mnemonic)) {
      return () => raise(EXCEPTION.UD, `CPUID does not report ${mnemonic.toUpperCase()}`);
    }
    if (mnemonic === 'mov' && usesControl(site)) return privilegedMove(site);
    const shared = usesMedia(site) ? SHARED.get(mnemonic) : undefined;
    const { width } = site.core;
    const legacy = width === 64 ? undefined : legacyHandler(mnemonic, width);
    const handler = legacy ?? (shared === undefined ? HANDLERS.get(mnemonic) : shared);
    if (handler === undefined || handler === null) {
      throw new NotModelledSignal(`${mnemonic.toUpperCase()}`);
    }
    return handler(site);
  } catch (error) {
    if (!(error instanceof NotModelledSignal)) throw error;
    return () => {
      throw error;
    };
  }
}

function privilegedMove(site: Site): Op {
  const op = moveControl(site);
  const { core } = site;
  return () => {
    if (core.cpl !== 0) raise(EXCEPTION.GP, 'a privileged instruction');
    op();
  };
}
