/** Snapshots at every label in a fresh process; elsewhere.test.ts has some of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LABELS } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { traceOf } from '../shared-traces.js';
import { bundlePortable, resumeElsewhere } from './fresh-process.js';

let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-elsewhere-'));
  await bundlePortable(dir);
}, 60_000);
afterAll(() => {
  rmSync(dir, { recursive: true });
});

test('a boot resumes from a snapshot at each label in a new process with the same rest of the trace', () => {
  const whole = printTrace(traceOf());
  expect(resumeElsewhere(dir, LABELS, whole)).toEqual(LABELS.map((label) => `${label} same`));
}, 600_000);
