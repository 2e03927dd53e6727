/** Lines recorded by watchLines(): the results of accesses do not depend on the contents of other lines. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { KEY_HOST, KEY_PLAIN, pa, type KeyId } from '../../../src/machine/address.js';
import { ZEN1, ZEN3 } from '../../../src/machine/cpu/cpu-models.js';
import { LineSet } from '../../../src/machine/memory/line-set.js';
import { Machine } from '../../../src/machine/machine.js';
import { MEMTYPE, type MemType } from '../../../src/machine/types.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';
import { diffMachines } from '../../../src/analysis/checkpoint/machine-diff.js';
import { sha256 } from '../../sha256.js';

const LINE = 64;
const WAYS = 2;
const CACHE = 16 * LINE;

function machine(coherent: boolean): Machine {
  return new Machine({
    model: coherent ? ZEN3 : ZEN1,
    cpus: 2,
    ram: [{ base: 0, size: 0x1_0000 }],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: CACHE, ways: WAYS },
    engine: { mode: 'XEX', seed: 'watch', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: true,
  });
}

type What = 'read' | 'write' | 'flush' | 'empty' | 'walk' | 'dmaRead' | 'dmaWrite' | 'fill';
interface Access {
  readonly what: What;
  readonly line: number;
  readonly offset: number;
  readonly length: number;
  readonly key: KeyId;
  readonly type: MemType;
  readonly cpu: number;
}

// Two pages' lines that share the sets of a small cache, so that they evict each other.
const LINES = [0, 1, 8, 16, 63, 64];
const access = fc.record<Access>({
  what: fc.constantFrom<What>(
    'read',
    'write',
    'flush',
    'empty',
    'walk',
    'dmaRead',
    'dmaWrite',
    'fill',
  ),
  line: fc.constantFrom(...LINES),
  offset: fc.constantFrom(0, 0, 60),
  length: fc.constantFrom(1, 64, 64, 130),
  key: fc.constantFrom(KEY_PLAIN, KEY_HOST),
  type: fc.constantFrom<MemType>(
    MEMTYPE.WB,
    MEMTYPE.WB,
    MEMTYPE.WB,
    MEMTYPE.WT,
    MEMTYPE.WP,
    MEMTYPE.UC,
  ),
  cpu: fc.constantFrom(0, 1),
});

/** Performs an access. Returns the digest of the bytes read. */
function act(
  m: Machine,
  { what, line, offset, length, key, type, cpu }: Access,
  value: number,
): string {
  const at = pa(line * LINE + offset);
  // An access stays within its page.
  const len = Math.min(length, 4096 - (at % 4096));
  const out = new Uint8Array(len);
  if (what === 'read') m.cache.read(cpu, at, key, type, out, 0, len, 1);
  else if (what === 'write') m.cache.write(cpu, at, key, type, out.fill(value), 0, len, 1);
  else if (what === 'flush') m.cache.clflush(at, key, len);
  else if (what === 'empty') m.cache.wbinvd(cpu);
  else if (what === 'walk') m.cache.peekCoherent(0, at, key, out, 0, len);
  else if (what === 'dmaRead') return sha256(m.dmaRead(at, len, key));
  else if (what === 'dmaWrite') m.dmaWrite(at, out.fill(value), key);
  else m.cache.fillRun(cpu, pa(line * LINE), key, value, m.cache.longFill, 1);
  return sha256(out);
}

/** Checks `runs` random sequences of accesses. */
export function checkUnwatchedLines(runs: number): void {
  let [touched, untouched] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(access, { maxLength: 5 }),
      access,
      fc.array(access, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (before, other, after, coherent) => {
        const machines = [machine(coherent), machine(coherent)] as const;
        // The two differ in one line: in the cache, in memory, or in both.
        const differing: Access = { ...other, what: 'write', offset: 0, length: LINE };
        for (const [i, m] of machines.entries()) {
          before.forEach((each, n) => act(m, each, n));
          act(m, differing, 100 + i);
        }
        const [one, two] = machines;
        const set = new LineSet();
        const end = one.watchLines(set);
        const read = after.map((each, n) => act(one, each, 50 + n));
        end();
        if (set.has(other.line)) {
          touched++;
          return;
        }
        untouched++;
        expect(after.map((each, n) => act(two, each, 50 + n))).toEqual(read);
        const diff = diffMachines(one.view(), two.view(), WAYS, one.engine);
        expect(new Set(diff?.lines)).toEqual(new Set([other.line]));
      },
    ),
    { numRuns: runs },
  );
  expect(Math.min(touched, untouched)).toBeGreaterThan(runs / 40);
}
