/** The line of a row, from runs that are made by hand on a booted machine. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { va } from '../../../src/machine/address.js';
import { PAGE_OFFSET } from '../../../src/kernel/constants.js';
import type { Run } from '../../../src/analysis/matrix/run.js';
import type { MatrixRow, WrongRead } from '../../../src/analysis/matrix/report.js';
import { differenceOf, causeOf } from '../../../src/analysis/matrix/cause.js';
import type { Outcome, TraceEvent } from '../../../src/trace/trace.js';
import { Standing } from '../../kernel/at-label.js';

const standing = new Standing('drivers');
const { k, boot } = standing;
const MIB = 2 ** 20;
const PAGE = va(PAGE_OFFSET + 80 * MIB);

beforeEach(() => {
  standing.again();
  k.trace.lastFault = null;
});

const run = (changes: Partial<Run> = {}): Run => ({
  boot,
  outcome: { kind: 'booted' },
  consumed: [],
  wrong: undefined,
  differs: undefined,
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
  was: 'not done: map 0x1000 in f',
};
const FIRST = '; first setup_arch: not done: map 0x1000 in f';

/** A run that ended in a fault at the page. */
function faulted(outcome: Outcome, what = '#PF(9) at 0xffff880005000000'): Run {
  k.trace.lastFault = { what, cpu: 0, at: PAGE };
  return run({ outcome });
}

/** Turns the C-bit of an entry on the way to the page. */
function flip(level: string): void {
  k.fn.set_memory_4k(PAGE, 1);
  const step = k.cpu.traceWalk(PAGE).find((each) => each.level === level);
  if (step === undefined) throw new Error(`no ${level}`);
  k.writeU64(k.__va(step.table + step.index * 8), step.entry ^ (1n << 47n));
  k.fn.flush_tlb_all();
}

describe('what was read wrongly', () => {
  test('through another key than it was written names both sides, and that is all', () => {
    expect(causeOf(run({ wrong: wrong() }), difference)).toBe(
      'unpack reads initrd with C=1; loader wrote it with C=0',
    );
  });

  test('through the same key names the first difference too', () => {
    expect(causeOf(run({ wrong: wrong({ writeC: 1, writer: 'copy' }) }), difference)).toBe(
      `unpack reads initrd with C=1; copy wrote it so${FIRST}`,
    );
  });

  test('where nobody wrote names the first difference too', () => {
    const { writer: _writer, writeC: _writeC, ...unwritten } = wrong();
    expect(causeOf(run({ wrong: unwritten }), difference)).toBe(
      `unpack reads initrd with C=1; nobody wrote it${FIRST}`,
    );
    expect(causeOf(run({ wrong: unwritten }), undefined)).toBe(
      'unpack reads initrd with C=1; nobody wrote it',
    );
  });

  test('in a way that is not known says so, after what a fault met', () => {
    const unknown = { name: 'initrd', reader: 'unpack' };
    expect(causeOf(run({ wrong: unknown }), difference)).toBe(
      `unpack gets other bytes than initrd was put${FIRST}`,
    );
    const end: Outcome = {
      kind: 'panic',
      where: 'f',
      message: 'Oops: #PF(9) at 0xffff880005000000',
    };
    expect(causeOf({ ...faulted(end), wrong: unknown }, difference)).toBe(
      '#PF(9) at 0xffff880005000000: the CPU reads memory 0x5000000 with C=1; nobody wrote it',
    );
  });

  test('comes before a fault', () => {
    const end: Outcome = { kind: 'panic', where: 'f', message: '#PF(9) at 0xffff880005000000' };
    expect(causeOf({ ...faulted(end), wrong: wrong() }, undefined)).toMatch(/^unpack reads/);
  });
});

describe('a fault that ended the boot', () => {
  const message = 'no handler for #PF(9) at 0xffff880005000000';

  test('names the table entry that was written through the other key', () => {
    flip('PMD');
    expect(causeOf(faulted({ kind: 'triple-fault', message }), difference)).toMatch(
      /^#PF\(9\) at 0xffff880005000000: the CPU reads PTE entry 0x[0-9a-f]+ with C=0; \w+ wrote it with C=1$/,
    );
  });

  test('names the memory that was written through the other key, or by nobody', () => {
    k.fn.set_memory_4k(PAGE, 1);
    expect(causeOf(faulted({ kind: 'hung', message }), difference)).toMatch(
      /: the CPU reads memory 0x5000000 with C=1; nobody wrote it$/,
    );
    boot.machine.origin = boot.recorder.intern('writer');
    k.writeU64(PAGE, 1n);
    flip('PTE');
    expect(causeOf(faulted({ kind: 'hung', message }), difference)).toMatch(
      /: the CPU reads memory 0x5000000 with C=0; writer wrote it with C=1$/,
    );
  });

  test('says where and what was first done otherwise, if the walk for it is good', () => {
    boot.machine.origin = boot.recorder.intern('writer');
    k.writeU64(PAGE, 1n);
    expect(causeOf(faulted({ kind: 'hung', where: 'f', message }), difference)).toBe(
      `#PF(9) at 0xffff880005000000 in f${FIRST}`,
    );
  });

  test('counts only if the boot ended in it', () => {
    const others: Outcome[] = [{ kind: 'booted' }, { kind: 'panic', message: 'VFS: no root' }];
    for (const outcome of others) {
      expect(causeOf(faulted(outcome), difference)).toBe('setup_arch: not done: map 0x1000 in f');
    }
  });

  test('of another CPU is that CPU’s', () => {
    flip('PMD');
    k.trace.lastFault = { what: '#UD', cpu: 7, at: PAGE };
    const end = run({ outcome: { kind: 'hung', message: '#UD' } });
    expect(causeOf(end, undefined)).toBe('nothing runs differently');
  });
});

test('a boot that encrypts nothing says so', () => {
  expect(causeOf(run({ encrypted: false }), difference)).toBe(`no memory is encrypted${FIRST}`);
  expect(causeOf(run({ encrypted: false }), undefined)).toBe('no memory is encrypted');
  expect(causeOf(run(), undefined)).toBe('nothing runs differently');
});

describe('the first telling difference of a step', () => {
  const of = (before: TraceEvent[], after: TraceEvent[]): MatrixRow['difference'] =>
    differenceOf({ label: 's', before, after });
  const map = { map: '0x1000..0x1fff', size: '4K', C: 1, flags: 'RW', in: 'f' };
  const enter = { enter: 'f', in: 'f' };
  const console: TraceEvent = { console: 'hello', in: 'printk' };

  test('is none where both are alike', () => {
    expect(of([map, enter], [map, enter])).toBeUndefined();
  });

  test('is how memory is reached before what is mapped, and both before what is said or entered', () => {
    const plain = { ...map, C: 0 };
    const wrmsr = { wrmsr: 'SYSCFG', value: '0x1', in: 'g' };
    expect(of([enter, wrmsr, map], [console, plain])).toEqual({
      step: 's',
      change: 'changed',
      event: plain,
      was: 'map 0x1000..0x1fff in f: C 1 → 0',
    });
    expect(of([enter, console, wrmsr, map], [map])?.was).toBe('not done: wrmsr SYSCFG in g');
    expect(of([enter, console, map], [map])?.was).toBe('not done: console hello in printk');
    expect(of([enter, map], [map])?.was).toBe('not done: enter f');
    expect(of([map], [map, wrmsr])).toEqual({
      step: 's',
      change: 'added',
      event: wrmsr,
      was: 'done besides: wrmsr SYSCFG in g',
    });
  });

  test('says what the principal value was before, and that a field came or went', () => {
    const moved = { ...map, map: '0x2000..0x2fff' };
    expect(of([map], [moved])?.was).toBe('map 0x2000..0x2fff in f: before 0x1000..0x1fff');
    expect(of([map], [{ ...map, n: 2 }])?.was).toBe('map 0x1000..0x1fff in f: n – → 2');
  });

  test('is other code where only who did it differs', () => {
    const other = { ...map, file: 'a.c', patch: 6, hunk: '06/a' };
    expect(of([map], [other])?.was).toBe('map 0x1000..0x1fff in f: by other code');
  });
});
