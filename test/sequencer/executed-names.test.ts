/** When the image's symbols are known to be where they were, and when no longer. */
import { beforeEach, expect, test } from '@jest/globals';
import type { KernelImage } from '../../src/firmware/image/kernel-image.js';
import { SymbolTable } from '../../src/firmware/image/symbols.js';
import { va } from '../../src/machine/address.js';
import { ExecutedNames } from '../../src/sequencer/executed-names.js';
import type { KernelPlace } from '../../src/sequencer/kernel-place.js';

const TEXT = -0x7f00_0000;
const ENTRY = 0x100_0000;
const USER = 0x40_0000;
const PURGATORY = 0x9_a000;
const image = {
  ...{ kind: 'vmlinux', file: 'test', digest: '', version: '', entry: ENTRY },
  segments: [{ vaddr: TEXT, paddr: ENTRY, bytes: new Uint8Array(0x1000), memsz: 0x1000 }],
  symbols: new SymbolTable([
    { name: 'entry', address: TEXT, type: 'T' },
    { name: '_end', address: TEXT + 0x1000, type: 'B' },
  ]),
} as KernelImage;
const loaded = { kernelAt: ENTRY, regions: [], firmwareRegions: [], blobs: [] };

let cpu = { id: 0, cpl: 0 };
let found: KernelPlace | undefined;
let names: ExecutedNames;
const codeAt = (at: number): string | undefined => names.origins.nameOf(names.originAt(va(at)));

beforeEach(() => {
  cpu = { id: 0, cpl: 0 };
  found = undefined;
  const place = { kernelAt: ENTRY, offset: 0 };
  names = new ExecutedNames(image, loaded, place, { cpu: () => cpu, kernelAt: () => found });
});

test('code at physical addresses before the virtual ones is the kernel’s', () => {
  expect([codeAt(ENTRY + 4), codeAt(TEXT + 4)]).toEqual(['entry', 'entry']);
  expect(names.progress).toBe('running');
});

test('code of CPL 0 below the kernel is other code, and the symbols are unknown then', () => {
  codeAt(TEXT);
  expect(codeAt(PURGATORY)).toBe('code at 0x9a000');
  expect([names.progress, names.place]).toEqual(['left', null]);
  expect(codeAt(TEXT)).toBe('code at 0xffffffff81000000');
  expect([names.functionAt(TEXT), names.codeAt(TEXT)]).toEqual([undefined, undefined]);
  expect(() => names.addressesOf('entry')).toThrow('the kernel was left for other code');
});

test('the ELF entry of the image makes them known again, at its place', () => {
  codeAt(TEXT);
  codeAt(PURGATORY);
  found = { kernelAt: 0x200_0000, offset: 0x1000_0000 };
  expect(codeAt(0x200_0000)).toBe('entry');
  expect([codeAt(TEXT), codeAt(TEXT + 0x1000_0000)]).toEqual([
    'code at 0xffffffff81000000',
    'entry',
  ]);
  expect(names.progress).toBe('running');
});

test('neither user space nor another CPU that starts leaves the kernel', () => {
  codeAt(TEXT);
  cpu = { id: 0, cpl: 3 };
  expect([codeAt(USER), codeAt(ENTRY)]).toEqual(['user space', 'user space']);
  cpu = { id: 1, cpl: 0 };
  expect(codeAt(PURGATORY)).toBe('code at 0x9a000');
  expect([names.progress, names.place?.kernelAt]).toEqual(['running', ENTRY]);
});
