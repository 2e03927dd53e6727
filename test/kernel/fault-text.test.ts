/** The page-table entry in a fault of a trace: its address, value and reserved bits. */
import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, pa } from '../../src/machine/address.js';
import { entryText } from '../../src/kernel/fault-text.js';
import { kindOf, type Trace, type TraceEvent } from '../../src/trace/trace.js';
import { exhaustiveTest } from '../cases.js';
import { boot, scenario } from '../helpers.js';
import { traceOf } from '../shared-traces.js';

const events = (trace: Trace, kind: string): TraceEvent[] =>
  trace.steps.flatMap((step) => step.events.filter((event) => kindOf(event) === kind));

describe('entryText', () => {
  const read = { level: 'PMD', at: pa(0x2008), key: KEY_HOST, value: 0x67n } as const;
  test.each([
    [{ reserved: 0n, absent: false }, 'PMD entry 0x2008 read with C=1: 0x67'],
    [
      { reserved: 3n << 46n, absent: false },
      'PMD entry 0x2008 read with C=1: 0x67, reserved bits 47..46',
    ],
    [
      { reserved: 1n, absent: true },
      'PMD entry 0x2008 read with C=1: nothing there, read as all ones',
    ],
  ])('%p', (more, text) => {
    expect(entryText({ ...read, ...more })).toBe(text);
  });
});

describe('a fault in a trace', () => {
  // The C-bit is an address bit on a CPU whose SYSCFG[23] is clear: the table is read at 2^47 or above.
  test('reports that there is no memory at the address of the entry', () => {
    const trace = traceOf({ scenario: scenario('ap-syscfg-clear') });
    const [fault] = events(trace, 'fault').filter(({ handler }) => handler === 'triple fault');
    expect(fault).toMatchObject({ why: 'reserved', level: 'PUD', C: 0 });
    expect(Number(fault?.entry)).toBeGreaterThan(2 ** 47);
    expect(fault?.value).toBe('nothing there, read as all ones');
    expect(fault).not.toHaveProperty('reserved');
  });

  exhaustiveTest('has the reserved bits of an entry whose address is noise', () => {
    const trace = boot({ stage: 9, activate: true, scenario: scenario('epyc-efi') }).run();
    const fault = events(trace, 'fault').find(({ why }) => why === 'reserved');
    expect(fault).toMatchObject({ level: 'PTE', C: 1 });
    expect(String(fault?.entry)).toMatch(/bm_pte/);
    const bits = String(fault?.reserved);
    expect(bits).toMatch(/^bits [\d., ]+$/);
    // The map event has the same reserved bits, and an address above the reduced size.
    const map = events(trace, 'map').find(({ reserved }) => reserved === bits);
    const [from] = /0x[0-9a-f]+/.exec(String(map?.pa)) ?? [];
    expect(Number(from)).toBeGreaterThan(2 ** 43);
    expect(BigInt(from ?? 0) >> 12n).toBe(
      (BigInt(String(fault?.value)) & (2n ** 52n - 1n) & ~(1n << 47n)) >> 12n,
    );
  });

  test('of an empty entry has no fields of the entry', () => {
    const fault = events(traceOf(), 'fault')[0];
    expect(fault).toMatchObject({ why: 'not-present', handler: 'early_idt_handler_array' });
    expect(fault).not.toHaveProperty('entry');
  });
});
