/**
 * The tracer changes nothing: a boot does the same whether it is traced, not traced, or watched by others as well. And its
 * events of memory that is not contiguous: pages of the direct map whose entries are made by hand.
 */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { PAGE_OFFSET } from '../../src/kernel/constants.js';
import { PAGE_SIZE, va, type Va } from '../../src/machine/address.js';
import type { Boot } from '../../src/sequencer/boot.js';
import { kindOf, type TraceEvent } from '../../src/trace/trace.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { boot, scenario } from '../helpers.js';
import { BootCheckpoint } from './at-label.js';
import { machineDigest } from '../machine-digest.js';

/** Everything of a boot that its tracing could change. */
function endOf(b: Boot): unknown {
  const { log } = b.kernel.state.console.printk;
  return { outcome: b.outcome, log, machine: machineDigest(b.machine) };
}

function bootTo(settings: readonly string[], before: (b: Boot) => void): Boot {
  const [name, ...more] = settings;
  const b = boot({ scenario: scenario(name, ...more) });
  while (b.ahead.length > 0) {
    before(b);
    b.step();
  }
  return b;
}

const traced = (): void => undefined;

const untraced = ({ kernel }: Boot): void => {
  kernel.trace.on = false;
};

/** The reads for the matrix are recorded, and another tracer listens to the same probe points. */
const watched = (b: Boot): void => {
  if (b.kernel.trace.reads !== null) return;
  b.kernel.trace.reads = [];
  const { accessed, walked, translated, dma, flushed, linesFlushed } = b.machine.probes;
  for (const point of [accessed, walked, translated, dma, flushed, linesFlushed]) {
    point.listen(() => undefined);
  }
};

const BOOTS: readonly (readonly string[])[] = [
  ['bios-minimal', 'machine.ram=64MiB', 'machine.cpu=zen-3', 'machine.vga=true'],
  ['bios-devices', 'machine.ram=512MiB'],
  ['epyc-efi', 'machine.cpu=zen-3'],
];

describe('a boot leaves the same machine, registers, TLBs, caches and DRAM', () => {
  test.each(firstOf(2, BOOTS).map((each) => [each.join(' '), each] as const))(
    'untraced as traced: %s',
    (_name, settings) => {
      const untracedBoot = bootTo(settings, untraced);
      expect(endOf(untracedBoot)).toEqual(endOf(bootTo(settings, traced)));
      expect(untracedBoot.recorder.eventsOf('setup_arch')).toEqual([]);
    },
  );

  exhaustiveTest('watched by another tracer as by one', () => {
    for (const settings of BOOTS) {
      const [once, twice] = [traced, watched].map((how) => bootTo(settings, how));
      expect(twice && endOf(twice)).toEqual(once && endOf(once));
      expect(twice?.finish()).toEqual(once?.finish());
    }
  });
});

const checkpoint = new BootCheckpoint('drivers');
const { k } = checkpoint;
const C47 = 1n << 47n;
const MIB = 2 ** 20;
/** Four unused pages: the third is mapped to other memory, the fourth with the C-bit. */
const PAGE = va(PAGE_OFFSET + 80 * MIB);
const [PA, ELSEWHERE] = [80 * MIB, 84 * MIB];

function reach(address: Va, to: number, c: 0 | 1): void {
  const entry = checkpoint.entry(address) & 0x8000_0000_0000_0fffn;
  const { table, index } = k.fn.lookup_address(address) ?? { table: va(0), index: 0 };
  k.writeU64(va(table + index * 8), entry | BigInt(to) | (c === 1 ? C47 : 0n));
}

function events(kind: string): TraceEvent[] {
  return checkpoint.boot.recorder.eventsOf('test').filter((event) => kindOf(event) === kind);
}

const HALF = PAGE_SIZE / 2;
/** From the middle of the first page to that of the fourth. */
const START = va(PAGE + HALF);
const LENGTH = 3 * PAGE_SIZE;

beforeEach(() => {
  checkpoint.restore();
  k.fn.set_memory_4k(PAGE, 4);
  [PA, PA + PAGE_SIZE, ELSEWHERE, ELSEWHERE + PAGE_SIZE].forEach((to, i) => {
    reach(va(PAGE + i * PAGE_SIZE), to, i === 3 ? 1 : 0);
  });
  k.fn.flush_tlb_all();
});

describe('a read of several pages', () => {
  test('is recorded with each physical range and its C-bit', () => {
    k.trace.reads = [];
    const bytes = k.readBytes(START, LENGTH);
    expect(k.trace.reads).toEqual([
      {
        bytes,
        ranges: [
          { pa: PA + HALF, c: 0, length: HALF + PAGE_SIZE },
          { pa: ELSEWHERE, c: 0, length: PAGE_SIZE },
          { pa: ELSEWHERE + PAGE_SIZE, c: 1, length: HALF },
        ],
      },
    ]);
    k.trace.reads = null;
  });

  test('is forgotten after sixteen others', () => {
    k.trace.reads = [];
    for (let length = 1; length <= 17; length++) k.readBytes(START, length);
    expect(k.trace.reads.map(({ bytes }) => bytes.length)).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 2),
    );
    k.trace.reads = null;
  });
});

test('a fill of several pages has an event for each physical range', () => {
  k.memset(START, 7, LENGTH);
  expect(events('fill').map(({ pa, C, value }) => [String(pa).split(' ')[0], C, value])).toEqual([
    ['0x5000800..0x5001fff', 0, 7],
    ['0x5400000..0x5400fff', 0, 7],
    ['0x5401000..0x54017ff', 1, 7],
  ]);
});

test('a copy has an event for each range that is contiguous on both sides', () => {
  k.memcpy(va(PAGE_OFFSET + 88 * MIB), START, LENGTH);
  expect(
    events('copy').map(({ fromPa, toPa, fromC, toC }) => [
      ...[fromPa, toPa].map((each) => String(each).split(' ')[0]),
      ...[fromC, toC],
    ]),
  ).toEqual([
    ['0x5000800..0x5001fff', '0x5800000..0x58017ff', 0, 1],
    ['0x5400000..0x5400fff', '0x5801800..0x58027ff', 0, 1],
    ['0x5401000..0x54017ff', '0x5802800..0x5802fff', 1, 1],
  ]);
});
