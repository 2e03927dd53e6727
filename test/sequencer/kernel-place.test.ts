/** Where a decompressor has put the kernel, found in the machine's memory: with a stub of a few instructions. */
import { expect, test } from '@jest/globals';
import { readKernelImage } from '../../src/firmware/image/kernel-image.js';
import { va } from '../../src/machine/address.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { entryPlaces, kernelPlaceAt } from '../../src/sequencer/kernel-place.js';
import { KERNEL_AT, OFFSET, STUB_AT, stubImage } from '../cli/stub-image.js';
import { TEXT } from '../cli/code-image.js';
import { scenario } from '../helpers.js';

const image = readKernelImage(stubImage(), { file: 'image' });
const begun = (name = 'bios-minimal'): ExecutedBoot =>
  new ExecutedBoot({
    scenario: scenario(name),
    image,
    cipher: nodeCipher,
    entry: 'decompressor',
  });

test.each(['bios-minimal', 'no-iommu'])(
  'of %s: its physical address is that of its entry, its virtual one that of its relocations',
  (name) => {
    const boot = begun(name);
    expect(boot.names.place).toBeNull();
    expect(boot.loaded.kernelAt).toBe(STUB_AT);
    expect(() => boot.names.addressesOf('put_o')).toThrow('has not entered the kernel');
    boot.runTo('put_o');
    expect(boot.names.place).toEqual({ kernelAt: KERNEL_AT, offset: OFFSET });
    expect(boot.loaded.kernelAt).toBe(KERNEL_AT);
    const offset = boot.symbol('put_o') - TEXT;
    expect(boot.names.addressesOf('put_o')).toEqual([TEXT + OFFSET + offset, KERNEL_AT + offset]);
    expect([boot.slide, boot.names.slideAt(-1)]).toEqual([KERNEL_AT - TEXT, OFFSET]);
    expect(boot.names.symbolize('va', TEXT + OFFSET + offset)).toBe('put_o');
    expect(boot.names.symbolize('pa', KERNEL_AT + offset)).toBe('put_o');
    expect(boot.labels).toEqual(['loader', 'decompressor', '_text', 'put_o']);
  },
);

test('run does not end at the entry of the kernel, and code after it has its symbols', () => {
  const boot = begun();
  expect(boot.run().kind).toBe('halt');
  expect(boot.uart.text).toBe('Dok\n');
  expect(boot.names.place).toEqual({ kernelAt: KERNEL_AT, offset: OFFSET });
  expect(boot.nameOf(boot.machine.origin)).toBe('_text');
});

test('a snapshot of the decompressor comes back as one, and is followed by the kernel again', () => {
  const boot = begun();
  const before = boot.snapshot();
  boot.runTo('put_o');
  const labels = [...boot.labels];
  boot.restore(before);
  expect([boot.names.place, boot.kernelPlaced, boot.loaded.kernelAt]).toEqual([
    null,
    false,
    STUB_AT,
  ]);
  expect(boot.names.functionAt(STUB_AT)).toBe('decompressor');
  boot.runTo('put_o');
  expect([boot.names.place, boot.labels]).toEqual([
    { kernelAt: KERNEL_AT, offset: OFFSET },
    labels,
  ]);
});

test('the entry can be at each multiple of the least alignment in RAM', () => {
  const boot = begun();
  const places = entryPlaces(boot.machine, image, 0x20_0000);
  expect([places.has(KERNEL_AT), places.has(0), places.has(KERNEL_AT + 0x1000)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('other bytes there are no kernel; relocations that differ give no virtual address', () => {
  const boot = begun();
  const { machine } = boot;
  const [cpu] = machine.cpus;
  expect(kernelPlaceAt(machine, cpu, image, va(KERNEL_AT))).toBeUndefined();
  boot.runTo('put_o');
  const two = { ...image, relocated: [TEXT + 0x100, TEXT + 0x108] };
  const place = (over: typeof two): unknown =>
    kernelPlaceAt(machine, cpu, { ...over, digest: '' }, va(KERNEL_AT));
  expect(place(two)).toBeNull();
  expect(place({ ...two, relocated: [] })).toEqual({ kernelAt: KERNEL_AT, offset: 0 });
});
