/** test/shared-traces.ts: a cached trace equals that of the boot with the same options and sources. */
import { existsSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { printTrace } from '../../src/trace/yaml-out.js';
import { boot, scenario } from '../helpers.js';
import { fileOf, traceOf } from '../shared-traces.js';

test('traceOf equals the trace of a boot, the first time and from the cache', () => {
  const whole = boot({ stage: 17 }).run();
  for (let i = 0; i < 2; i++) {
    expect(traceOf({ stage: 17 })).toEqual(whole);
    expect(printTrace(traceOf({ stage: 17 }))).toBe(printTrace(whole));
  }
});

test('fileOf differs for another scenario, stage, hunk selection or source', () => {
  const files = [
    fileOf({}),
    fileOf({ stage: 17 }),
    fileOf({ stage: 17, activate: true }),
    fileOf({ without: ['09/initrd'] }),
    fileOf({ with: ['09/flush-tlb'] }),
    fileOf({ scenario: scenario('bios-minimal', 'machine.cpus=2') }),
    fileOf({}, 'other'),
  ];
  expect(new Set(files).size).toBe(files.length);
  expect(fileOf({ scenario: scenario(), stage: 18 })).toBe(fileOf({}));
});

test('traceOf boots again if the cached file is truncated', () => {
  const options = { stage: 16 };
  const whole = printTrace(traceOf(options));
  if (existsSync(fileOf(options))) writeFileSync(fileOf(options), 'half a file');
  expect(printTrace(traceOf(options))).toBe(whole);
});
