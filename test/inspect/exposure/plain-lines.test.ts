/** The lines in plaintext, against a look at each line. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { KEY_PLAIN, LINE_SIZE, pa, va, type KeyId } from '../../../src/machine/address.js';
import { ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import { Machine } from '../../../src/machine/machine.js';
import { MEMTYPE, type Origin } from '../../../src/machine/types.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { eachPlainRun, type PlainLines } from '../../../src/inspect/exposure/plain-lines.js';

const PAGES = 6;
const RAM = 0x40_0000;
const KEYS = [0, 1, 2] as KeyId[];

const machine = (): Machine =>
  new Machine({
    model: ZEN1,
    cpus: 1,
    ram: [{ base: 0, size: RAM }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 8192, ways: 2 },
    engine: { mode: 'XEX', seed: 'plain', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: false,
  });

/** The same line by line: its last write in DRAM, and the dirty line of it that was written last. */
function lineByLine({ dram, cache }: Machine): Omit<PlainLines, 'length'>[] {
  const found: Omit<PlainLines, 'length'>[] = [];
  for (let at = 0; at < RAM; at += LINE_SIZE) {
    const inDram = dram.lastWrite(pa(at));
    const newer = cache.lastWrite(pa(at));
    if (inDram?.key === KEY_PLAIN) {
      const replacedBy = newer?.key === KEY_PLAIN ? 'plaintext' : 'ciphertext';
      const line = { pa: pa(at), origin: inDram.origin, where: 'dram' as const };
      found.push(newer === undefined ? line : { ...line, replacedBy });
    } else if (newer?.key === KEY_PLAIN) {
      found.push({ pa: pa(at), origin: newer.origin, where: 'cache' });
    }
  }
  return found;
}

const step = fc.record({
  what: fc.constantFrom('write', 'cached', 'cached', 'load', 'fill', 'flush', 'snapshot'),
  at: fc.integer({ min: 0, max: PAGES * 4096 - 1 }),
  length: fc.constantFrom(1, 64, 200, 4096, 8192),
  key: fc.constantFrom(...KEYS),
  origin: fc.constantFrom<Origin>(0, 7, 8),
});

test('the runs are all lines that a look at each line finds, ascending', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
      const m = machine();
      let line = 0;
      for (const { what, at, length, key, origin } of steps) {
        const whole = at - (at % 4096);
        if (what === 'write') m.dram.write(pa(at), key, new Uint8Array(length), 0, length, origin);
        else if (what === 'cached') {
          const data = new Uint8Array(LINE_SIZE).fill(++line);
          const start = pa(at - (at % LINE_SIZE));
          m.cache.write(0, start, key, MEMTYPE.WB, data, 0, LINE_SIZE, origin);
        } else if (what === 'load') m.dram.load(pa(whole), new Uint8Array(length), origin);
        else if (what === 'fill') m.dram.fillLines(pa(whole), key, 1, 8192, origin);
        else if (what === 'flush') m.cpus[0].clflushRange(va(whole), 4096);
        else m.snapshot();
      }
      const runs: PlainLines[] = [];
      eachPlainRun(m, (run) => runs.push(run));
      const lines = runs.flatMap(({ length, ...run }) =>
        Array.from({ length: length / LINE_SIZE }, (_, i) => ({
          ...run,
          pa: pa(run.pa + i * LINE_SIZE),
        })),
      );
      expect(lines).toEqual(lineByLine(m));
    }),
    { numRuns: 60 },
  );
});
