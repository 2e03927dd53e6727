import { describe, expect, test } from '@jest/globals';
import { cachedLines } from '../../src/inspect/cached.js';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../src/machine/address.js';
import { MEMTYPE, type MemType } from '../../src/machine/types.js';
import { RAM, smallMachine } from './small-machine.js';

const LINE = 64;
const AT = 0x8000;
const NAMES = ['', 'loads', 'stores', 'stores again'];
const [LOADS, STORES, AGAIN] = [1, 2, 3] as const;
type Machine = ReturnType<typeof smallMachine>;

const rows = (machine: Machine, base = AT, size = 2 * LINE) =>
  cachedLines({ machine, nameOf: (origin) => NAMES[origin] }, [{ base, size }]);
const whole = (value: number) => new Uint8Array(LINE).fill(value);

function put(
  m: Machine,
  at: number,
  key: KeyId,
  value: number,
  {
    cpu = 0,
    origin = STORES,
    type = MEMTYPE.WB,
  }: { cpu?: number; origin?: number; type?: MemType } = {},
): void {
  m.cache.write(cpu, pa(at), key, type, whole(value), 0, LINE, origin);
}
function get(m: Machine, at: number, key: KeyId, cpu = 0): void {
  m.cache.read(cpu, pa(at), key, MEMTYPE.WB, whole(0), 0, 1, LOADS);
}

describe('a cached line', () => {
  test('that was written is dirty, with its last writer and CPU; memory has other bytes', () => {
    const m = smallMachine();
    put(m, AT, KEY_HOST, 1);
    put(m, AT, KEY_HOST, 2, { cpu: 3, origin: AGAIN });
    expect(rows(m)).toEqual([
      { pa: '0x8000', key: 1, dirty: true, cpu: 3, writer: 'stores again', same: false },
    ]);
    m.dmaWrite(pa(AT + LINE), whole(5), KEY_HOST);
    put(m, AT + LINE, KEY_HOST, 5);
    expect(rows(m)[1]).toMatchObject({ pa: '0x8040', dirty: true, writer: 'stores', same: true });
  });

  test('that was filled is clean, with the writer of its bytes in memory', () => {
    const m = smallMachine();
    put(m, AT, KEY_HOST, 1);
    m.cpus[0].wbinvd();
    get(m, AT, KEY_HOST, 2);
    get(m, AT + LINE, KEY_PLAIN);
    expect(rows(m)).toEqual([
      {
        pa: '0x8000',
        key: 1,
        dirty: false,
        cpu: 2,
        writer: 'stores',
        filledBy: 'loads',
        same: true,
      },
      { pa: '0x8040', key: 0, dirty: false, cpu: 0, filledBy: 'loads', same: true },
    ]);
  });

  test('that was written through is clean and equals memory', () => {
    const m = smallMachine();
    get(m, AT, KEY_PLAIN);
    put(m, AT, KEY_PLAIN, 7, { type: MEMTYPE.WT });
    expect(rows(m)).toMatchObject([{ dirty: false, writer: 'stores', same: true }]);
  });

  test('that memory no longer equals: another key was written back over it', () => {
    const m = smallMachine();
    m.dmaWrite(pa(AT), whole(1), KEY_PLAIN);
    get(m, AT, KEY_PLAIN);
    put(m, AT, KEY_HOST, 2);
    m.cache.clflush(pa(AT), KEY_HOST);
    expect(rows(m)).toEqual([
      {
        pa: '0x8000',
        key: 0,
        dirty: false,
        cpu: 0,
        filledBy: 'loads',
        same: false,
        memory: { key: 1, writer: 'stores' },
      },
    ]);
  });

  test('under several keys is marked, with the order of the writes where both are dirty', () => {
    const m = smallMachine();
    put(m, AT, KEY_HOST, 1);
    put(m, AT, KEY_PLAIN, 2);
    put(m, AT + LINE, KEY_HOST, 3);
    get(m, AT + LINE, KEY_PLAIN);
    expect(rows(m).map(({ pa: at, key, aliases }) => [at, key, aliases])).toEqual([
      ['0x8000', 0, [{ key: 1, dirty: true, later: false }]],
      ['0x8000', 1, [{ key: 0, dirty: true, later: true }]],
      ['0x8040', 0, [{ key: 1, dirty: true }]],
      ['0x8040', 1, [{ key: 0, dirty: false }]],
    ]);
  });
});

test('the lines of a range are those from its first to its last byte', () => {
  const m = smallMachine();
  for (const at of [AT - LINE, AT, AT + LINE, AT + 2 * LINE]) put(m, at, KEY_HOST, 1);
  const within = (base: number, size: number) => rows(m, base, size).map(({ pa: at }) => at);
  expect(within(AT, 1)).toEqual(['0x8000']);
  expect(within(AT + LINE - 1, 1)).toEqual(['0x8000']);
  expect(within(AT + LINE - 1, 2)).toEqual(['0x8000', '0x8040']);
  expect(within(AT, LINE)).toEqual(['0x8000']);
  expect(within(0, RAM)).toHaveLength(4);
  expect(within(AT + 3 * LINE, RAM)).toEqual([]);
});

test('the list changes neither cache nor memory', () => {
  const [m, other] = [smallMachine(), smallMachine()];
  for (const each of [m, other]) {
    put(each, AT, KEY_HOST, 1);
    put(each, AT, KEY_PLAIN, 2);
    get(each, AT + LINE, KEY_PLAIN);
  }
  rows(m, 0, RAM);
  expect(m.cache.snapshot()).toEqual(other.cache.snapshot());
  expect(m.dram.peek(pa(AT), 256)).toEqual(other.dram.peek(pa(AT), 256));
});

test('the lines that a long fill left are listed', () => {
  const m = smallMachine();
  m.cache.fillRun(1, pa(0x10_0000), KEY_HOST, 9, 2 * 32 * 1024, STORES);
  expect(rows(m, 0x10_0000, LINE)).toEqual([]);
  expect(rows(m, 0x10_0000 + 64 * 1024 - LINE, LINE)).toMatchObject([
    { dirty: true, cpu: 1, writer: 'stores', same: false },
  ]);
});
