/** Each reason for plaintext, made by an access of its kind, with a twin that must not have it. */
import { describe, expect, test } from '@jest/globals';
import {
  recordBus,
  exposureAt,
  type ExposedRange,
} from '../../../src/inspect/exposure/exposure.js';
import type { BusLog } from '../../../src/inspect/exposure/bus-log.js';
import { changesOf } from '../../../src/inspect/exposure/changes.js';
import { KEY_HOST, KEY_PLAIN, pa, va } from '../../../src/machine/address.js';
import { REQUESTER_PLATFORM } from '../../../src/machine/requester.js';
import type { Boot } from '../../../src/sequencer/boot.js';
import { exhaustiveTest } from '../../cases.js';
import { boot, scenario } from '../../helpers.js';

/** RAM that nothing else uses. */
const FREE = 0x300_0000;
/** A step in which encryption is on and the identity mapping without the C-bit is in use. */
const EARLY = 'startup_64:phys_base';

interface Recorded {
  readonly b: Boot;
  readonly log: BusLog;
  to(label: string): void;
  /** The present range that an address is in; `all` is for several addresses. */
  readonly at: (address: number) => ExposedRange | undefined;
  readonly all: () => Recorded['at'];
}

/** A boot of the small machine with two CPUs, recorded up to a label. */
function recorded(label: string): Recorded {
  const b = boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB', 'machine.cpus=2') });
  const log = recordBus(b);
  const to = (end: string): void => {
    while (!b.reached(end) && b.outcome === null) {
      log.step = b.labels.indexOf(b.ahead[0] ?? '');
      b.step();
    }
  };
  to(label);
  const all = (): Recorded['at'] => {
    const { ranges } = exposureAt(b, log);
    return (address) =>
      ranges.find(({ start, bytes }) => address >= start && address < start + bytes);
  };
  return { b, log, to, all, at: (address) => all()(address) };
}

const reasonAt = ({ at }: Recorded, address: number): string | undefined => at(address)?.why.reason;

describe('the reason why memory is in the clear', () => {
  test('is the firmware where the memory map has no RAM for the kernel', () => {
    const r = recorded('run_init');
    const at = r.all();
    expect(at(0xf_0800)).toMatchObject({
      writer: { fn: 'firmware or loader' },
      owner: { kind: 'firmware', text: 'e820 type reserved' },
      why: { reason: 'firmware' },
    });
    expect(at(0xc_0000)?.owner.text).toBe('in no e820 range');
    expect(at(0xc_0000)?.why.reason).toBe('firmware');
    // The loader wrote the zero page too, but into RAM.
    expect(at(0x9_0000)).toMatchObject({
      names: ['boot params'],
      owner: { kind: 'free' },
      why: { reason: 'forgotten' },
    });
    expect(at(0x9_0000)?.why.text).toMatch(
      /^left from before encryption was on; last used .* in copy_bootdata/,
    );
  });

  test('is a device that used it without the C-bit; with the C-bit it is not in the clear', () => {
    const r = recorded('run_init');
    const { hostBridge, config } = r.b.machine;
    const c = 1n << BigInt(config.model.sme?.cBit ?? 0);
    hostBridge.write(8, BigInt(FREE), new Uint8Array(128));
    hostBridge.write(8, BigInt(FREE + 4096) | c, new Uint8Array(128));
    const at = r.all();
    expect(at(FREE)).toMatchObject({ bytes: 128, why: { reason: 'device' } });
    expect(at(FREE)?.why.text).toMatch(/PCI 00:01.0 used 128 bytes of it/);
    expect(at(FREE + 4096)).toBeUndefined();
  });

  exhaustiveTest('is the pool of bounce buffers, also before a device uses it', () => {
    const b = boot({ scenario: scenario('bios-minimal') });
    const log = recordBus(b);
    b.run();
    const pool = exposureAt(b, log).ranges.find(({ owner }) => owner.kind === 'bounce buffers');
    expect(pool).toMatchObject({ bytes: 64 * 2 ** 20, why: { reason: 'device' } });
    // With 64 MiB of RAM there is none.
    const small = recorded('run_init');
    const { ranges } = exposureAt(small.b, small.log);
    expect(ranges.filter(({ owner }) => owner.kind === 'bounce buffers')).toEqual([]);
  });

  test('is a CPU with paging off; with paging on it is the mapping', () => {
    const r = recorded(EARLY);
    r.b.machine.cpus[1]?.write(va(FREE), new Uint8Array(64));
    r.b.machine.cpus[0].write(va(FREE + 4096), new Uint8Array(64));
    const at = r.all();
    expect(at(FREE)?.why).toMatchObject({ reason: 'unpaged' });
    expect(at(FREE)?.why.text).toMatch(/CPU 1/);
    expect(at(FREE)?.writes[0]?.access).toMatchObject({
      cpu: 1,
      paging: false,
      encryption: false,
    });
    expect(at(FREE + 4096)?.why.reason).toBe('mapped');
    expect(at(FREE + 4096)?.why.text).toMatch(/with encryption on; mapped with C=0 now: 0x/);
  });

  test('is a page walk without the C-bit while CR3 leads to the tables', () => {
    const r = recorded(EARLY);
    expect(reasonAt(r, 0x200_0000)).toBe('page-walk');
    r.to('startup_64:switch');
    r.to('x86_64_start_kernel');
    expect(reasonAt(r, 0x200_0000)).toBe('unused');
  });

  test('is its use in the last step, and no longer in the next one', () => {
    const r = recorded('copy_bootdata');
    expect(reasonAt(r, 0x9_0000)).toBe('in-use');
    r.to('load_ucode_bsp');
    expect(reasonAt(r, 0x9_0000)).toBe('unused');
  });

  exhaustiveTest('is that it was forgotten only once the boot has ended', () => {
    const r = recorded(EARLY);
    r.b.machine.cpus[0].write(va(FREE), new Uint8Array(64).fill(7));
    expect(reasonAt(r, FREE)).toBe('mapped');
    r.to('early-idt');
    expect(reasonAt(r, FREE)).toBe('unused');
    r.to('run_init');
    expect(r.at(FREE)?.why).toMatchObject({ reason: 'forgotten' });
    expect(r.at(FREE)?.why.text).toMatch(/^written through C=0 with encryption on; /);
    expect(r.at(FREE)?.writes[0]?.access).toMatchObject({ step: r.b.labels.indexOf(EARLY) });
  });

  exhaustiveTest('is not known without a record of the boot', () => {
    const r = recorded('run_init');
    const { ranges } = exposureAt(r.b);
    const range = ranges.find(({ start }) => start === 0x9_0000);
    expect(range?.why.reason).toBe('not-known');
    expect(reasonAt(r, 0x9_0000)).toBe('forgotten');
    // The memory map needs no record.
    expect(ranges.find(({ start }) => start === 0xf_0800)?.why.reason).toBe('firmware');
  });
});

describe('the memory in the clear', () => {
  test('has a line that only the cache has until it is written back', () => {
    const r = recorded(EARLY);
    const [cpu] = r.b.machine.cpus;
    cpu.write(va(FREE), new Uint8Array(64).fill(1));
    expect(r.at(FREE)).toMatchObject({ where: 'cache', bytes: 64 });
    const before = exposureAt(r.b, r.log);
    expect(before.cache).toBeGreaterThanOrEqual(64);
    cpu.wbinvd();
    expect(r.at(FREE)).toMatchObject({ where: 'dram', bytes: 64 });
    expect(exposureAt(r.b, r.log)).toMatchObject({ cache: 0 });
  });

  test('does not have what was last written with a key, nor what was never written', () => {
    const r = recorded(EARLY);
    r.b.machine.dmaWrite(pa(FREE), new Uint8Array(4096), KEY_HOST);
    expect(r.at(FREE)).toBeUndefined();
    expect(r.at(FREE + 4096)).toBeUndefined();
  });

  test('has blocks that a write of a part of the line with a key has left in plaintext', () => {
    const r = recorded(EARLY);
    const { machine } = r.b;
    const under = (): unknown =>
      exposureAt(r.b, r.log).remnants.filter(({ start }) => start >= FREE && start < FREE + 4096);
    machine.dmaWrite(pa(FREE), new Uint8Array(128).fill(0x55));
    machine.dmaWrite(pa(FREE + 16), new Uint8Array(16), KEY_HOST);
    expect(under()).toEqual([
      { start: FREE, bytes: 16 },
      { start: FREE + 32, bytes: 32 },
    ]);
    expect(r.at(FREE)).toBeUndefined();
    machine.dmaWrite(pa(FREE), new Uint8Array(64), KEY_HOST);
    expect(under()).toEqual([]);
  });

  test('counts the ciphertext that a write of a part of the line without a key has left', () => {
    const r = recorded(EARLY);
    const { machine } = r.b;
    machine.dmaWrite(pa(FREE), new Uint8Array(64).fill(0x55), KEY_HOST);
    machine.dmaWrite(pa(FREE), new Uint8Array(16).fill(0x41), KEY_PLAIN);
    expect(r.at(FREE)).toMatchObject({ bytes: 64, ciphertext: 48 });
    expect(r.at(FREE)?.contents).toMatchObject({ zero: 0, texts: [{ text: 'A'.repeat(16) }] });
    machine.dmaWrite(pa(FREE), new Uint8Array(64).fill(0x41), KEY_PLAIN);
    expect(r.at(FREE)).toMatchObject({ bytes: 64, ciphertext: 0 });
  });

  exhaustiveTest('is one range as far as writer and owner are the same', () => {
    const r = recorded(EARLY);
    r.b.machine.dmaWrite(pa(FREE), new Uint8Array(8192));
    expect(r.at(FREE)).toMatchObject({ start: FREE, bytes: 8192 });
    r.b.machine.originOf.set(REQUESTER_PLATFORM, r.b.recorder.intern('another function'));
    r.b.machine.dmaWrite(pa(FREE + 64), new Uint8Array(64));
    const at = r.all();
    expect(at(FREE)).toMatchObject({ bytes: 64 });
    expect(at(FREE + 64)).toMatchObject({ bytes: 64, writer: { fn: 'another function' } });
    expect(at(FREE + 128)).toMatchObject({ bytes: 8192 - 128 });
  });

  test('is not listed without encryption: all memory is', () => {
    const b = boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB'), stage: 17 });
    const log = recordBus(b);
    b.run();
    const exposure = exposureAt(b, log);
    expect(exposure).toMatchObject({ encryption: [], ranges: [], dram: 0 });
    expect(exposure.written).toBeGreaterThan(2 ** 20);
  });
});

exhaustiveTest('changesOf lists what came and went, with the code that wrote it last', () => {
  const r = recorded(EARLY);
  const before = exposureAt(r.b, r.log);
  r.b.machine.dmaWrite(pa(FREE), new Uint8Array(64));
  const now = exposureAt(r.b, r.log);
  expect(changesOf(r.b, before, now)).toMatchObject({
    came: [{ start: FREE, bytes: 64 }],
    went: [],
  });
  expect(changesOf(r.b, now, now)).toEqual({ came: [], went: [] });
  r.to('run_init');
  const { went } = changesOf(r.b, now, exposureAt(r.b, r.log));
  expect(went.map(({ by }) => by.fn)).toContain('sme_early_mem_enc');
  expect(went.find(({ by }) => by.fn === 'sme_early_mem_enc')?.by.hunk).toBe('08/sme_early_mem');
});

exhaustiveTest('the record changes nothing that the boot does', () => {
  const plain = boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB') });
  const watched = boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB') });
  recordBus(watched);
  expect(watched.run()).toEqual(plain.run());
});
