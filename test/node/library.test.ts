import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readExpectation } from '../../src/check/expectation.js';
import {
  bootOf,
  compare,
  createBoot,
  isSame,
  loadExpectation,
  loadScenario,
  loadSeries,
  loadTrace,
  match,
  packageFolder,
  scenarioNames,
  seriesNames,
} from '../../src/node/library.js';
import { firstOf } from '../cases.js';
import { sme } from '../cli/io.js';
import { refusal } from '../trace/helpers.js';

describe('the library for Node', () => {
  test('knows the scenarios and series of the package', () => {
    expect(scenarioNames()).toContain('bios-minimal');
    expect(seriesNames()).toContain('fixed');
    expect(loadSeries('fixed')).toMatchObject({ name: 'fixed', stage: 18 });
    expect(existsSync(join(packageFolder(), 'scenarios'))).toBe(true);
  });

  test.each([
    ['scenario', () => loadScenario('bios-minimum'), 'E_SCENARIO_UNKNOWN'],
    ['series', () => loadSeries('repaired'), 'E_SERIES_UNKNOWN'],
    ['file', () => loadScenario('no/such.yaml'), 'E_READ'],
    ['match file as a trace', () => loadTrace('traces/match/initrd.yaml'), 'E_NOT_A_TRACE'],
  ])('refuses an unknown %s', (_what, load, code) => {
    expect(refusal(load).code).toBe(code);
  });

  test.each(firstOf(1, [0, 17, 18]))('boots stage %d as the expected trace has it', (stage) => {
    const file = `traces/bios-minimal/stage-${String(stage).padStart(2, '0')}.yaml`;
    const expected = loadTrace(file);
    expect(loadExpectation(file)).toMatchObject({ expect: 'exact', trace: expected });
    expect(isSame(compare(expected, createBoot('bios-minimal', { stage }).run()))).toBe(true);
  });

  test('boots a scenario of one’s own as the trace that the command line wrote of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sme-boot-library-'));
    try {
      const [scenario, trace] = [join(folder, 'scenarios/my.yaml'), join(folder, 'traces/my.yaml')];
      for (const file of [scenario, trace]) mkdirSync(dirname(file));
      writeFileSync(scenario, readFileSync('scenarios/bios-minimal.yaml'));
      expect((await sme(['run', scenario, '-o', trace])).status).toBe(0);
      const found = createBoot(loadScenario(scenario)).run();
      expect(isSame(compare(loadTrace(trace), found))).toBe(true);
      expect(loadExpectation(trace)).toMatchObject({ trace: loadTrace(trace) });
      // By its path, one of the package is none of one's own.
      expect(loadScenario('scenarios/bios-minimal.yaml').file).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('boots what a match file states, with its series, settings and hunks left out', () => {
    const text = [
      'expect: match',
      'run: {scenario: bios-minimal, series: fixed, without: [09/initrd], set: {machine.ram: 512MiB}}',
      'outcome: {kind: panic}',
      '',
    ].join('\n');
    const expectation = readExpectation('m.yaml', text);
    if (expectation.expect !== 'match') throw new Error('not a match file');
    const trace = bootOf(expectation.run).run();
    const series = loadSeries('fixed');
    expect(trace.header).toMatchObject({
      stage: 18,
      without: [...(series.without ?? []), '09/initrd'],
      with: series.with,
      settings: { 'machine.ram': '512MiB' },
    });
    expect(match(expectation, trace).ok).toBe(true);
  });

  test('refuses what a match file states of an executed boot', () => {
    const run = { scenario: 'bios-minimal', kernel: 'vmlinux', execute: true };
    expect(() => bootOf(run)).toThrow(/E_USAGE: run.execute: the library does not execute images/);
  });
});
