import { expect, test } from '@jest/globals';
import {
  SEGMENT,
  segmentField,
  VMCB_CONTROL,
  VMCB_SAVE,
  VMCB_SEGMENTS,
  VmcbView,
} from '../../../src/machine/svm/vmcb.js';

/**
 * The control area from a second source: the members of the kernel's packed struct (arch/x86/include/asm/svm.h,
 * 4.6) in order, with their sizes; a gap has no name.
 */
const CONTROL: readonly (readonly [keyof typeof VMCB_CONTROL | undefined, number])[] = [
  ['INTERCEPT_CR', 4],
  ['INTERCEPT_DR', 4],
  ['INTERCEPT_EXCEPTION', 4],
  ['INTERCEPT_MISC', 8],
  [undefined, 42 + 2],
  ['IOPM_BASE_PA', 8],
  ['MSRPM_BASE_PA', 8],
  ['TSC_OFFSET', 8],
  ['GUEST_ASID', 4],
  ['TLB_CONTROL', 1],
  [undefined, 3],
  ['V_INTR', 8],
  ['INTERRUPT_SHADOW', 8],
  ['EXITCODE', 8],
  ['EXITINFO1', 8],
  ['EXITINFO2', 8],
  ['EXITINTINFO', 8],
  ['NP_ENABLE', 8],
  [undefined, 16],
  ['EVENTINJ', 8],
  ['N_CR3', 8],
  [undefined, 8],
  ['VMCB_CLEAN', 4],
  [undefined, 4],
  ['NRIP', 8],
  [undefined, 16 + 800],
];

const SAVE: readonly (readonly [keyof typeof VMCB_SAVE | undefined, number])[] = [
  [undefined, 10 * 16 + 43],
  ['CPL', 1],
  [undefined, 4],
  ['EFER', 8],
  [undefined, 112],
  ['CR4', 8],
  ['CR3', 8],
  ['CR0', 8],
  ['DR7', 8],
  ['DR6', 8],
  ['RFLAGS', 8],
  ['RIP', 8],
  [undefined, 88],
  ['RSP', 8],
  [undefined, 24],
  ['RAX', 8],
  ['STAR', 8],
  ['LSTAR', 8],
  ['CSTAR', 8],
  ['SFMASK', 8],
  ['KERNEL_GS_BASE', 8],
  ['SYSENTER_CS', 8],
  ['SYSENTER_ESP', 8],
  ['SYSENTER_EIP', 8],
  ['CR2', 8],
  [undefined, 32],
  ['G_PAT', 8],
];

function offsets<N extends string>(
  members: readonly (readonly [N | undefined, number])[],
  base: number,
): Record<string, readonly [number, number]> {
  const found: Record<string, readonly [number, number]> = {};
  let at = base;
  for (const [name, bytes] of members) {
    if (name !== undefined) found[name] = [at, bytes];
    at += bytes;
  }
  return found;
}

test('the VMCB control area has the layout of the kernel’s struct and 1 KiB', () => {
  expect(offsets(CONTROL, 0)).toEqual(VMCB_CONTROL);
  expect(CONTROL.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(0x400);
});

test('the VMCB save area has the layout of the kernel’s struct, from 0x400 on', () => {
  expect(offsets(SAVE, 0x400)).toEqual(VMCB_SAVE);
});

test('VMCB segments have 16 bytes each, from 0x400 on, in the manual’s order', () => {
  expect(Object.values(VMCB_SEGMENTS)).toEqual(
    Array.from({ length: 10 }, (_, i) => 0x400 + i * 16),
  );
  expect(SEGMENT).toEqual({ selector: [0, 2], attributes: [2, 2], limit: [4, 4], base: [8, 8] });
  expect(segmentField('CS', 'base')).toEqual([0x418, 8]);
});

test.each([1, 2, 4, 8] as const)(
  'VmcbView.set of a %i-byte field is little-endian and changes no other byte',
  (bytes) => {
    const raw = new Uint8Array(4096).fill(0xee);
    const view = new VmcbView(raw);
    view.set([16, bytes], 0x0102_0304_0506_0708n);
    expect(view.get([16, bytes])).toBe(BigInt.asUintN(bytes * 8, 0x0102_0304_0506_0708n));
    expect(raw[16]).toBe(8);
    expect([raw[15], raw[16 + bytes]]).toEqual([0xee, 0xee]);
  },
);
