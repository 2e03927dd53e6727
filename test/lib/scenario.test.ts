import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseScenarioText } from '../../src/lib/scenario.js';
import { loadScenario } from '../../src/cli/run-options.js';
import { refusal } from '../trace/helpers.js';

const text = readFileSync('scenarios/bios-minimal.yaml', 'utf8');

describe('parseScenarioText', () => {
  test.each([
    [{}, {}],
    [{ 'machine.ram': '512MiB' }, { set: ['machine.ram=512MiB'] }],
    [{ cmdline: '1' }, { cmdline: '1' }],
    [{ 'machine.vga': true }, { set: ['machine.vga=true'] }],
  ])('gives with %j what the command line gives with %j', (settings, flags) => {
    const { scenario, digest } = parseScenarioText('bios-minimal.yaml', text, settings);
    expect({ scenario, digest }).toEqual(loadScenario('bios-minimal', flags));
  });

  test('has its settings as text, as a trace of the command line has them', () => {
    const { settings } = parseScenarioText('a.yaml', text, {
      'machine.vga': true,
      'machine.cpus': 2,
    });
    expect(settings).toEqual({ 'machine.vga': 'true', 'machine.cpus': '2' });
  });

  test('refuses a wrong value with its path, and a setting without a path', () => {
    const wrong = refusal(() => parseScenarioText('a.yaml', text, { 'machine.ram': 'much' }));
    expect(wrong).toMatchObject({ code: 'E_SCENARIO', place: { file: 'a.yaml' } });
    expect(wrong.place.path).toBe('machine.ram');
    expect(refusal(() => parseScenarioText('a.yaml', text, { '': 1 })).code).toBe('E_SET');
  });
});
