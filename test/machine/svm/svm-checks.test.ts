import { expect, test } from '@jest/globals';
import { KEY_HOST } from '../../../src/machine/address.js';
import { ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import { entryFormat, rootOf, type PagingContext } from '../../../src/machine/cpu/mmu.js';
import { invalidState, VMRUN_CHECKS } from '../../../src/machine/svm/svm-checks.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import {
  segmentField,
  VMCB_CONTROL,
  VMCB_SAVE,
  VmcbView,
  type VmcbField,
} from '../../../src/machine/svm/vmcb.js';
import { GuestMachine } from './svm-guest.js';

const C = 1n << 47n;
const format = entryFormat(48, { cBit: 47, reduction: 5, key: KEY_HOST });
const host: PagingContext = {
  ...rootOf(format, 0n),
  format,
  wp: true,
  nxe: true,
  pge: true,
  gbPages: true,
  bit8Mbz: true,
  pat: [],
  mtrr: () => MEMTYPE.WB,
};

function vmcb(changes: readonly (readonly [VmcbField, bigint])[]): VmcbView {
  let view = new VmcbView(new Uint8Array(4096));
  new GuestMachine().edit((good) => {
    view = new VmcbView(good.bytes.slice());
  });
  for (const [field, value] of changes) view.set(field, value);
  return view;
}

const LONG: readonly (readonly [VmcbField, bigint])[] = [
  [VMCB_SAVE.EFER, 0x1100n],
  [VMCB_SAVE.CR0, 0x8000_0011n],
  [VMCB_SAVE.CR4, 0x20n],
];

/** One illegal VMCB for each check, in the checks' order. */
const ILLEGAL: readonly (readonly (readonly [VmcbField, bigint])[])[] = [
  [[VMCB_SAVE.EFER, 0n]],
  [[VMCB_SAVE.CR0, 1n << 29n]],
  [[VMCB_SAVE.CR0, 1n << 32n]],
  [[VMCB_SAVE.CR3, 1n << 48n]],
  [[VMCB_SAVE.CR4, 1n << 11n]],
  [[VMCB_SAVE.DR6, 1n << 32n]],
  [[VMCB_SAVE.DR7, 1n << 32n]],
  [[VMCB_SAVE.EFER, 0x1000n | (1n << 15n)]],
  [...LONG, [VMCB_SAVE.CR4, 0n]],
  [...LONG, [VMCB_SAVE.CR0, 0x8000_0010n]],
  [...LONG, [segmentField('CS', 'attributes'), 0x600n]],
  [[VMCB_CONTROL.INTERCEPT_MISC, 0n]],
  [[VMCB_CONTROL.MSRPM_BASE_PA, 1n << 43n]],
  [[VMCB_CONTROL.EVENTINJ, 0x8000_0100n]],
  [[VMCB_CONTROL.GUEST_ASID, 0n]],
  [[VMCB_CONTROL.N_CR3, 1n << 43n]],
  [[VMCB_SAVE.G_PAT, 2n]],
];

test('each illegal VMCB is refused by its own check', () => {
  const found = ILLEGAL.map((changes) => invalidState(vmcb(changes), host, ZEN1));
  expect(found).toEqual(VMRUN_CHECKS);
});

test.each([
  ['a guest in real mode', []],
  ['a guest in long mode', LONG],
  ['CD and NW together', [[VMCB_SAVE.CR0, 0x6000_0010n]]],
  [
    'a root and maps with the C-bit',
    [
      [VMCB_CONTROL.N_CR3, C],
      [VMCB_CONTROL.MSRPM_BASE_PA, C],
      [VMCB_CONTROL.IOPM_BASE_PA, C],
    ],
  ],
  ['an event that is not valid', [[VMCB_CONTROL.EVENTINJ, 0x100n]]],
  ['the last exception', [[VMCB_CONTROL.EVENTINJ, 0x8000_031fn]]],
] as readonly (readonly [string, readonly (readonly [VmcbField, bigint])[]])[])(
  '%s is legal',
  (_what, changes) => {
    expect(invalidState(vmcb(changes), host, ZEN1)).toBeUndefined();
  },
);
