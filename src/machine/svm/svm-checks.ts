/** The checks of VMRUN on a VMCB before it enters a guest (APM 15.5.1, "Canonicalization and Consistency Checks"). */
import type { CpuModel } from '../cpu/cpuid.js';
import { patTypes } from '../cpu/memory-types.js';
import { cr3Reserved, entryFormat, type PagingContext } from '../cpu/mmu.js';
import { allBits, CR0, CR4, EFER } from '../cpu/registers.js';
import {
  EVENT,
  INTERCEPT,
  NP_ENABLE,
  segmentField,
  SEGMENT_ATTRIBUTES,
  VMCB_CONTROL,
  VMCB_SAVE,
  type VmcbView,
} from './vmcb.js';

interface Check {
  readonly vmcb: VmcbView;
  readonly host: PagingContext;
  readonly model: CpuModel;
}

const HIGH_HALF = ~0xffff_ffffn;
/** The offset bits of a page's address. */
const PAGE_OFFSET = 0xfffn;

const bit = (value: number): bigint => BigInt(value);
const all = (value: bigint, ...bits: number[]): boolean =>
  bits.every((one) => (value & bit(one)) !== 0n);
const efer = ({ vmcb }: Check): bigint => vmcb.get(VMCB_SAVE.EFER);
const cr0 = ({ vmcb }: Check): bigint => vmcb.get(VMCB_SAVE.CR0);
const cr4 = ({ vmcb }: Check): bigint => vmcb.get(VMCB_SAVE.CR4);
const longPaging = (check: Check): boolean => all(efer(check), EFER.LME) && all(cr0(check), CR0.PG);

const EFER_KNOWN = bit(EFER.SCE + EFER.LME + EFER.LMA + EFER.NXE + EFER.SVME + EFER.FFXSR);
/** Event types that EVENTINJ may have: INTR, NMI, exception, software interrupt (APM 15.20). */
const EVENT_TYPES: ReadonlySet<bigint> = new Set([0n, 2n, EVENT.TYPE_EXCEPTION, 4n]);
const NMI_VECTOR = 2n;
const LAST_EXCEPTION = 31n;

function illegalEvent({ vmcb }: Check): boolean {
  const event = vmcb.get(VMCB_CONTROL.EVENTINJ);
  if ((event & EVENT.V) === 0n) return false;
  const type = (event >> EVENT.TYPE_SHIFT) & EVENT.TYPE;
  const vector = event & EVENT.VECTOR;
  if (!EVENT_TYPES.has(type)) return true;
  return type === EVENT.TYPE_EXCEPTION && (vector === NMI_VECTOR || vector > LAST_EXCEPTION);
}

/** In the manual's order; `why` is the text for reports. */
const CHECKS: readonly (readonly [why: string, wrong: (check: Check) => boolean])[] = [
  ['EFER.SVME is zero', (c) => !all(efer(c), EFER.SVME)],
  ['CR0.CD is zero and CR0.NW is set', (c) => !all(cr0(c), CR0.CD) && all(cr0(c), CR0.NW)],
  ['CR0[63:32] are not zero', (c) => (cr0(c) & HIGH_HALF) !== 0n],
  [
    'a reserved bit of CR3 is set',
    ({ vmcb, model }) =>
      cr3Reserved(entryFormat(model.physAddrBits, null), vmcb.get(VMCB_SAVE.CR3)),
  ],
  ['a reserved bit of CR4 is set', (c) => (cr4(c) & ~bit(allBits(CR4))) !== 0n],
  ['DR6[63:32] are not zero', ({ vmcb }) => (vmcb.get(VMCB_SAVE.DR6) & HIGH_HALF) !== 0n],
  ['DR7[63:32] are not zero', ({ vmcb }) => (vmcb.get(VMCB_SAVE.DR7) & HIGH_HALF) !== 0n],
  ['a reserved bit of EFER is set', (c) => (efer(c) & ~EFER_KNOWN) !== 0n],
  ['EFER.LME and CR0.PG without CR4.PAE', (c) => longPaging(c) && !all(cr4(c), CR4.PAE)],
  ['EFER.LME and CR0.PG without CR0.PE', (c) => longPaging(c) && !all(cr0(c), CR0.PE)],
  [
    'EFER.LME, CR0.PG, CR4.PAE, CS.L and CS.D are all set',
    (c) =>
      longPaging(c) &&
      all(cr4(c), CR4.PAE) &&
      all(
        c.vmcb.get(segmentField('CS', 'attributes')),
        SEGMENT_ATTRIBUTES.L,
        SEGMENT_ATTRIBUTES.DB,
      ),
  ],
  [
    'the VMRUN intercept is clear',
    ({ vmcb }) => (vmcb.get(VMCB_CONTROL.INTERCEPT_MISC) & INTERCEPT.VMRUN) === 0n,
  ],
  [
    'a permission map is beyond memory',
    ({ vmcb, host }) =>
      cr3Reserved(host.format, vmcb.get(VMCB_CONTROL.IOPM_BASE_PA) & ~PAGE_OFFSET) ||
      cr3Reserved(host.format, vmcb.get(VMCB_CONTROL.MSRPM_BASE_PA) & ~PAGE_OFFSET),
  ],
  ['an illegal event is injected', illegalEvent],
  [
    'ASID is zero or beyond those that there are',
    ({ vmcb, model }) => {
      const asid = vmcb.get(VMCB_CONTROL.GUEST_ASID);
      return asid === 0n || asid >= bit(model.svm?.asids ?? 0);
    },
  ],
  [
    'a reserved bit of nCR3 is set',
    ({ vmcb, host }) => nested(vmcb) && cr3Reserved(host.format, vmcb.get(VMCB_CONTROL.N_CR3)),
  ],
  [
    'a type of G_PAT is reserved',
    ({ vmcb }) => nested(vmcb) && patTypes(vmcb.get(VMCB_SAVE.G_PAT)) === undefined,
  ],
];

function nested(vmcb: VmcbView): boolean {
  return (vmcb.get(VMCB_CONTROL.NP_ENABLE) & NP_ENABLE.NP) !== 0n;
}

/** The first check that a VMCB fails, which makes VMRUN exit with VMEXIT_INVALID; undefined if it passes all. */
export function invalidState(
  vmcb: VmcbView,
  host: PagingContext,
  model: CpuModel,
): string | undefined {
  return CHECKS.find(([, wrong]) => wrong({ vmcb, host, model }))?.[0];
}

/** The texts of all checks, in order. */
export const VMRUN_CHECKS: readonly string[] = CHECKS.map(([why]) => why);
