import { describe, expect, test } from '@jest/globals';
import { CopyLog, RangeLog, RunLog } from '../../src/kernel/access-log.js';
import { Tracer } from '../../src/kernel/tracer.js';
import {
  KEY_HOST,
  KEY_PLAIN,
  PAGE_SIZE,
  PMD_SIZE,
  va,
  type KeyId,
} from '../../src/machine/address.js';
import type { AccessKind } from '../../src/machine/probes.js';
import { CR0 } from '../../src/machine/cpu/registers.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { PTE, SMALL, C_BIT, setEntry, smallMachine } from '../inspect/small-machine.js';
import { boot } from '../helpers.js';
import { Recorder } from '../../src/trace/recorder.js';

type Call = readonly [kind: AccessKind, at: number, pa: number, key: KeyId, length: number];
const feed = (log: RunLog | CopyLog | RangeLog, ...calls: readonly Call[]): void => {
  for (const [kind, at, pa, key, length] of calls) {
    log.listener(kind, 0, va(at), pa, key, MEMTYPE.WB, length);
  }
};
const run = (at: number, pa: number, key: KeyId, length: number) => ({
  ...{ va: at, pa, key, length, type: MEMTYPE.WB },
});

describe('RunLog', () => {
  test('merges adjacent runs with one key, and keeps the order', () => {
    const log = new RunLog('read');
    feed(
      log,
      ['read', 0, 0x1000, KEY_PLAIN, 4],
      ['read', 4, 0x1004, KEY_PLAIN, 4],
      ['write', 8, 0x1008, KEY_PLAIN, 4],
      ['read', 8, 0x1008, KEY_HOST, 4],
      ['read', 12, 0x2000, KEY_HOST, 4],
      ['read', 0, 0x2004, KEY_HOST, 4],
    );
    expect(log.runs).toEqual([
      run(0, 0x1000, KEY_PLAIN, 8),
      run(8, 0x1008, KEY_HOST, 4),
      run(12, 0x2000, KEY_HOST, 4),
      run(0, 0x2004, KEY_HOST, 4),
    ]);
  });
});

describe('CopyLog', () => {
  test('pairs each read with its write; a read that is repeated after a fault counts once', () => {
    const log = new CopyLog();
    feed(
      log,
      ['read', 0, 0x1000, KEY_PLAIN, 8],
      ['read', 0, 0x1000, KEY_PLAIN, 8],
      ['write', 64, 0x5000, KEY_HOST, 8],
      ['read', 8, 0x1008, KEY_PLAIN, 8],
      ['write', 72, 0x5008, KEY_HOST, 8],
      ['read', 16, 0x1010, KEY_PLAIN, 8],
      ['write', 80, 0x9000, KEY_HOST, 8],
    );
    expect(log.runs).toEqual([
      { from: run(0, 0x1000, KEY_PLAIN, 16), to: run(64, 0x5000, KEY_HOST, 16) },
      { from: run(16, 0x1010, KEY_PLAIN, 8), to: run(80, 0x9000, KEY_HOST, 8) },
    ]);
  });
});

describe('RangeLog', () => {
  test('gives a range whole if one translation explains all accesses in it', () => {
    const log = new RangeLog(0, 'read');
    feed(log, ['read', 0x20, 0x1020, KEY_HOST, 4], ['read', 0x10, 0x1010, KEY_HOST, 4]);
    expect(log.within(va(0), 0x40)).toEqual([run(0, 0x1000, KEY_HOST, 0x40)]);
    expect(log.within(va(0x40), 0x40)).toEqual([]);
  });

  test('gives the part of each translation, by ascending address, cut to the range', () => {
    const log = new RangeLog(0, 'read', { at: 0x10, length: 0x30 });
    feed(
      log,
      ['read', 0x30, 0x9030, KEY_PLAIN, 0x20],
      ['read', 0, 0x1000, KEY_HOST, 0x20],
      ['write', 0x20, 0x1020, KEY_HOST, 4],
      ['read', 0x40, 0x1040, KEY_HOST, 4],
    );
    expect(log.within(va(0x10), 0x30)).toEqual([
      run(0x10, 0x1010, KEY_HOST, 0x10),
      run(0x30, 0x9030, KEY_PLAIN, 0x10),
    ]);
  });

  test('has the accesses of its CPU only', () => {
    const log = new RangeLog(1, 'read');
    feed(log, ['read', 0, 0x1000, KEY_HOST, 4]);
    expect(log.within(va(0), 4)).toEqual([]);
  });
});

describe('an event of a copy, on a machine', () => {
  /** A kernel on a machine that maps the first two pages from 2 MiB on with and without the C-bit. */
  function made() {
    const b = boot();
    const { devices } = b.machine.snapshot();
    b.machine.restore({ ...smallMachine(b.machine.config.model).snapshot(), devices });
    const recorder = new Recorder();
    recorder.step('here');
    const { kernel } = b;
    Object.assign(kernel, { trace: new Tracer(kernel, recorder) });
    return { kernel, machine: b.machine, recorder };
  }

  test('has the keys and addresses that the CPU used, where a page table was changed since', () => {
    const { kernel, machine, recorder } = made();
    const [cpu] = machine.cpus;
    // The TLB has both pages; then the tables say something else.
    for (const at of [0, PAGE_SIZE]) cpu.read(va(PMD_SIZE + at), new Uint8Array(1));
    setEntry(machine, PTE, 0, 0x7000n | SMALL);
    setEntry(machine, PTE, 1, 0x8000n | SMALL | C_BIT);
    kernel.memset(va(PMD_SIZE), 1, 2 * PAGE_SIZE);
    kernel.memcpy(va(0x20_0000 + PAGE_SIZE), va(0x4000), 64);
    expect(recorder.eventsOf('here')).toMatchObject([
      { fill: '0x200000..0x200fff', pa: '0x200000..0x200fff', C: 1 },
      { fill: '0x201000..0x201fff', pa: '0x201000..0x201fff', C: 0 },
      { copy: '0x4000..0x403f', to: '0x201000..0x20103f', toPa: '0x201000..0x20103f', toC: 0 },
    ]);
  });

  test('has the memory type of the access: uncached while CR0.CD is set', () => {
    const { kernel, machine, recorder } = made();
    const [cpu] = machine.cpus;
    const write = (): void => {
      kernel.trace.writingParts(() => {
        kernel.writeU16(va(0x4002), 1);
        return { at: va(0x4000), length: 160 };
      });
    };
    write();
    cpu.writeCr0(cpu.cr0 + CR0.CD);
    write();
    expect(recorder.eventsOf('here')).toMatchObject([
      { fill: '0x4000..0x409f', pa: '0x4000..0x409f', C: 0, type: 'WB' },
      { fill: '0x4000..0x409f', pa: '0x4000..0x409f', C: 0, type: 'UC' },
    ]);
  });

  test('that ends a search stands before the events of the search, without what was not read', () => {
    const { kernel, recorder } = made();
    const found = kernel.trace.reading('table', va(PMD_SIZE), 2 * PAGE_SIZE, (counted) => {
      kernel.memset(va(0x4000), 0, 64);
      kernel.readU8(va(PMD_SIZE));
      return counted(
        () => kernel.readU8(va(PMD_SIZE + 8)) + kernel.readU8(va(PMD_SIZE + PAGE_SIZE)),
      );
    });
    expect(found).toBeGreaterThanOrEqual(0);
    kernel.trace.reading('nothing', va(0), 8, () => undefined);
    const [first, second, third, last] = recorder.eventsOf('here');
    expect(first).toMatchObject({ read: 'table', at: '0x200008', pa: '0x200008', C: 1 });
    expect(second).toMatchObject({ read: 'table', at: '0x201000', pa: '0x201000', C: 0 });
    expect(third).toMatchObject({ fill: '0x4000..0x403f' });
    expect(last).toEqual({ read: 'nothing', at: '0x0..0x7', in: 'loader' });
  });
});
