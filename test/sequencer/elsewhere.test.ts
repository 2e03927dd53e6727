/** The same boot in other environments: a new process, and one without Node's APIs. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LABELS } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { exhaustiveTest } from '../cases.js';
import { traceOf } from '../shared-traces.js';
import { bundlePortable, data, resumeElsewhere } from './fresh-process.js';

let dir: string;
let whole: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-elsewhere-'));
  whole = printTrace(traceOf());
  await bundlePortable(dir);
}, 60_000);
afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe('the core', () => {
  test('bundles for a browser and has the same trace with browser APIs only', () => {
    const code = readFileSync(join(dir, 'portable.js'), 'utf8');
    const context = createContext({ TextEncoder, TextDecoder, structuredClone, data });
    const found = runInContext(`${code}\nportable.trace(data)`, context) as string;
    expect(found).toBe(whole);
    expect(runInContext('typeof process + typeof Buffer + typeof require', context)).toBe(
      'undefinedundefinedundefined',
    );
  }, 120_000);

  // Each label: elsewhere.exhaustive.test.ts.
  exhaustiveTest(
    'resumes from a snapshot in a new process with the same rest of the trace',
    () => {
      const labels = [LABELS[0] ?? '', 'copy_bootdata', 'smp_init', LABELS.at(-1) ?? ''];
      expect(resumeElsewhere(dir, labels, whole)).toEqual(labels.map((label) => `${label} same`));
    },
    300_000,
  );
});
