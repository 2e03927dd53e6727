/** The cause of a row, from runs made by hand on a booted machine. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { va } from '../../../src/machine/address.js';
import { PAGE_OFFSET } from '../../../src/kernel/constants.js';
import type { Run } from '../../../src/analysis/matrix/run.js';
import type { MatrixRow, WrongRead } from '../../../src/analysis/matrix/report.js';
import { differenceOf, causeOf } from '../../../src/analysis/matrix/cause.js';
import type { Outcome, TraceEvent } from '../../../src/trace/trace.js';
import { BootCheckpoint } from '../../kernel/at-label.js';

const checkpoint = new BootCheckpoint('drivers');
const { k, boot } = checkpoint;
const MIB = 2 ** 20;
const PAGE = va(PAGE_OFFSET + 80 * MIB);

beforeEach(() => {
  checkpoint.restore();
  k.trace.lastFault = null;
});

const run = (changes: Partial<Run> = {}): Run => ({
  boot,
  outcome: { kind: 'booted' },
  consumed: [],
  wrong: undefined,
  differs: undefined,
  reports: [],
  encrypted: true,
  ...changes,
});
const wrong = (changes: Partial<WrongRead> = {}): WrongRead => ({
  name: 'initrd',
  reader: 'unpack',
  readC: 1,
  writer: 'loader',
  writeC: 0,
  pa: '0x1000',
  ...changes,
});
const difference: NonNullable<MatrixRow['difference']> = {
  step: 'setup_arch',
  change: 'gone',
  event: { map: '0x1000' },
  was: 'missing: map 0x1000 in f',
};
const FIRST = '; first setup_arch: missing: map 0x1000 in f';

/** A run that ended in a fault at the page. */
function faulted(outcome: Outcome, what = '#PF(9) at 0xffff880005000000'): Run {
  k.trace.lastFault = { what, cpu: 0, at: PAGE };
  return run({ outcome });
}

/** Flips the C-bit of an entry on the walk to the page. */
function flip(level: string): void {
  k.fn.set_memory_4k(PAGE, 1);
  const step = k.cpu.traceWalk(PAGE).find((each) => each.level === level);
  if (step === undefined) throw new Error(`no ${level}`);
  k.writeU64(k.__va(step.table + step.index * 8), step.entry ^ (1n << 47n));
  k.fn.flush_tlb_all();
}

describe('a wrong read', () => {
  test('with another key than the write names reader and writer only', () => {
    expect(causeOf(run({ wrong: wrong() }), difference)).toBe(
      'unpack reads initrd with C=1; loader wrote it with C=0',
    );
  });

  test('with the same key names the first difference too', () => {
    expect(causeOf(run({ wrong: wrong({ writeC: 1, writer: 'copy' }) }), difference)).toBe(
      `unpack reads initrd with C=1; copy wrote it with the same C-bit${FIRST}`,
    );
  });

  test('of memory that was never written names the first difference too', () => {
    const { writer: _writer, writeC: _writeC, ...unwritten } = wrong();
    expect(causeOf(run({ wrong: unwritten }), difference)).toBe(
      `unpack reads initrd with C=1; it was never written${FIRST}`,
    );
    expect(causeOf(run({ wrong: unwritten }), undefined)).toBe(
      'unpack reads initrd with C=1; it was never written',
    );
  });

  test('without a recorded C-bit ranks after a fault', () => {
    const unknown = { name: 'initrd', reader: 'unpack' };
    expect(causeOf(run({ wrong: unknown }), difference)).toBe(
      `unpack reads other bytes than those written for initrd${FIRST}`,
    );
    const end: Outcome = {
      kind: 'panic',
      where: 'f',
      message: 'Oops: #PF(9) at 0xffff880005000000',
    };
    expect(causeOf({ ...faulted(end), wrong: unknown }, difference)).toBe(
      '#PF(9) at 0xffff880005000000: the CPU reads memory 0x5000000 with C=1; it was never written',
    );
  });

  test('with a recorded C-bit ranks before a fault', () => {
    const end: Outcome = { kind: 'panic', where: 'f', message: '#PF(9) at 0xffff880005000000' };
    expect(causeOf({ ...faulted(end), wrong: wrong() }, undefined)).toMatch(/^unpack reads/);
  });
});

describe('a fault that ended the boot', () => {
  const message = 'no handler for #PF(9) at 0xffff880005000000';

  test('names the table entry that was written with the other key', () => {
    flip('PMD');
    expect(causeOf(faulted({ kind: 'triple-fault', message }), difference)).toMatch(
      /^#PF\(9\) at 0xffff880005000000: the CPU reads PTE entry 0x[0-9a-f]+ with C=0; \w+ wrote it with C=1$/,
    );
  });

  test('names the memory that was written with the other key, or never', () => {
    k.fn.set_memory_4k(PAGE, 1);
    expect(causeOf(faulted({ kind: 'hung', message }), difference)).toMatch(
      /: the CPU reads memory 0x5000000 with C=1; it was never written$/,
    );
    boot.machine.origin = boot.recorder.intern('writer');
    k.writeU64(PAGE, 1n);
    flip('PTE');
    expect(causeOf(faulted({ kind: 'hung', message }), difference)).toMatch(
      /: the CPU reads memory 0x5000000 with C=0; writer wrote it with C=1$/,
    );
  });

  test('names its function and the first difference if its walk has no mismatch', () => {
    boot.machine.origin = boot.recorder.intern('writer');
    k.writeU64(PAGE, 1n);
    expect(causeOf(faulted({ kind: 'hung', where: 'f', message }), difference)).toBe(
      `#PF(9) at 0xffff880005000000 in f${FIRST}`,
    );
  });

  test('is the cause only if the boot ended in it', () => {
    const others: Outcome[] = [{ kind: 'booted' }, { kind: 'panic', message: 'VFS: no root' }];
    for (const outcome of others) {
      expect(causeOf(faulted(outcome), difference)).toBe('setup_arch: missing: map 0x1000 in f');
    }
  });

  test('of another CPU names that CPU', () => {
    flip('PMD');
    k.trace.lastFault = { what: '#UD', cpu: 7, at: PAGE };
    const end = run({ outcome: { kind: 'hung', message: '#UD' } });
    expect(causeOf(end, undefined)).toBe('nothing runs differently');
  });
});

test('the cause of a boot that encrypts nothing is that no memory is encrypted', () => {
  expect(causeOf(run({ encrypted: false }), difference)).toBe(`no memory is encrypted${FIRST}`);
  expect(causeOf(run({ encrypted: false }), undefined)).toBe('no memory is encrypted');
  expect(causeOf(run(), undefined)).toBe('nothing runs differently');
});

describe('the highest-ranking difference of a step', () => {
  const of = (before: TraceEvent[], after: TraceEvent[]): MatrixRow['difference'] =>
    differenceOf({ label: 's', before, after });
  const map = { map: '0x1000..0x1fff', size: '4K', C: 1, flags: 'RW', in: 'f' };
  const enter = { enter: 'f', in: 'f' };
  const console: TraceEvent = { console: 'hello', in: 'printk' };

  test('is undefined if both sides are equal', () => {
    expect(of([map, enter], [map, enter])).toBeUndefined();
  });

  test('ranks C-bits and types before mappings, and both before console and function entries', () => {
    const plain = { ...map, C: 0 };
    const wrmsr = { wrmsr: 'SYSCFG', value: '0x1', in: 'g' };
    expect(of([enter, wrmsr, map], [console, plain])).toEqual({
      step: 's',
      change: 'changed',
      event: plain,
      was: 'map 0x1000..0x1fff in f: C 1 → 0',
    });
    expect(of([enter, console, wrmsr, map], [map])?.was).toBe('missing: wrmsr SYSCFG in g');
    expect(of([enter, console, map], [map])?.was).toBe('missing: console hello in printk');
    expect(of([enter, map], [map])?.was).toBe('missing: enter f');
    expect(of([map], [map, wrmsr])).toEqual({
      step: 's',
      change: 'added',
      event: wrmsr,
      was: 'extra: wrmsr SYSCFG in g',
    });
  });

  test('prints the former principal value, and added and removed fields', () => {
    const moved = { ...map, map: '0x2000..0x2fff' };
    expect(of([map], [moved])?.was).toBe('map 0x2000..0x2fff in f: was 0x1000..0x1fff');
    expect(of([map], [{ ...map, n: 2 }])?.was).toBe('map 0x1000..0x1fff in f: n – → 2');
  });

  test('is another hunk if only the hunk differs', () => {
    const other = { ...map, file: 'a.c', patch: 6, hunk: '06/a' };
    expect(of([map], [other])?.was).toBe('map 0x1000..0x1fff in f: same event, another hunk');
  });
});
