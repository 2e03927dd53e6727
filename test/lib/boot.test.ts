import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Boot, type BootOptions } from '../../src/lib/boot.js';
import { parseScenarioText, type Settings } from '../../src/lib/scenario.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { sha256 } from '../helpers.js';
import { refusal } from '../trace/helpers.js';
import { exhaustiveTest } from '../cases.js';

/** A boot of bios-minimal. */
function bootOf(options: BootOptions = {}, settings: Settings = {}): Boot {
  const text = readFileSync('scenarios/bios-minimal.yaml', 'utf8');
  const scenario = parseScenarioText('scenarios/bios-minimal.yaml', text, settings);
  return new Boot(scenario, options, { cipher: nodeCipher, digest: sha256 });
}

describe('a boot of the library', () => {
  test('is watched by the sanitizer, unless that is turned off', () => {
    const boot = bootOf();
    boot.runTo('load_ucode_bsp');
    expect(boot.reports().map(({ rule }) => rule)).toContain('wrong-key-read');
    const off = bootOf({ sanitize: false });
    off.runTo('load_ucode_bsp');
    expect(off.reports()).toEqual([]);
  });

  test('runs to a label, and returns to a snapshot as often as wanted', () => {
    const boot = bootOf();
    expect(boot.reached('reserve_initrd')).toBe(false);
    expect(boot.runTo('reserve_initrd')).toBe(true);
    const snapshot = boot.snapshot();
    expect(snapshot.after).toBe('reserve_initrd');
    const first = boot.run();
    snapshot.restore();
    expect(boot.outcome).toBeNull();
    expect(boot.ahead[0]).toBe(boot.labels[boot.labels.indexOf('reserve_initrd') + 1]);
    expect(boot.run()).toEqual(first);
    expect(first.outcome.kind).toBe('booted');
  });

  test('has no step before the first one, and no label is reached that it does not have', () => {
    const boot = bootOf();
    expect(boot.snapshot().after).toBeUndefined();
    expect(boot.reached('nonsense')).toBe(false);
    expect(refusal(() => boot.runTo('nonsense')).code).toBe('E_LABEL');
  });

  exhaustiveTest('says that a label was not reached if it ended before', () => {
    const boot = bootOf({ stage: 8, activate: true });
    const last = boot.labels.at(-1) ?? '';
    expect(boot.runTo(last)).toBe(false);
    expect(boot.outcome?.kind).toBe('panic');
    expect(boot.reached(last)).toBe(false);
    const ended = boot.labels.filter((label) => boot.reached(label)).at(-1) ?? '';
    expect(boot.eventsOf(ended).at(-1)).toMatchObject({ outcome: 'panic' });
  });

  test('reads memory as on the bus and with either C-bit, translates, and lists the page tables', () => {
    const boot = bootOf();
    boot.runTo('reserve_initrd');
    const magic = [...'070701'].map((char) => char.charCodeAt(0));
    expect([...boot.read('initrd', 6, 'c1')]).toEqual(magic);
    expect([...boot.read('initrd', 6, 'dram')]).not.toEqual(magic);
    expect([...boot.read('initrd', 6, 'c0')]).toEqual([...boot.read('initrd', 6, 'dram')]);
    const walk = boot.translate('initrd+64');
    expect(walk).toMatchObject({ c: 1, type: 'WB' });
    expect(boot.pageTables().some(({ c }) => c === 1)).toBe(true);
    expect(boot.regions().map(({ name }) => name)).toContain('initrd');
    expect(boot.machine.cpus).toHaveLength(1);
  });

  exhaustiveTest('lists the memory in the clear, with reasons once the bus is recorded', () => {
    const zeroPage = (boot: Boot) =>
      boot.exposure().ranges.find(({ names }) => names.includes('boot params'));
    const recorded = bootOf();
    recorded.recordBus();
    recorded.runTo('copy_bootdata');
    expect(zeroPage(recorded)).toMatchObject({ bytes: 4096, why: { reason: 'in-use' } });
    recorded.runTo('load_ucode_bsp');
    expect(zeroPage(recorded)?.why.reason).toBe('unused');
    const plain = bootOf();
    plain.runTo('copy_bootdata');
    expect(zeroPage(plain)?.why.reason).toBe('not-known');
  });

  test.each([
    ['no bytes', 'initrd', 0, 'E_MEM'],
    ['half a byte', 'initrd', 0.5, 'E_MEM'],
    ['more than 64 MiB', 'initrd', 2 ** 27, 'E_MEM'],
    ['an unknown place', 'intrd', 1, 'E_PLACE'],
  ])('refuses to read %s', (_what, place, length, code) => {
    expect(refusal(() => bootOf().read(place, length, 'dram')).code).toBe(code);
  });

  exhaustiveTest('takes its own initrd and records its settings', () => {
    const initrd = new TextEncoder().encode('not an archive');
    const trace = bootOf({ initrd }, { 'machine.ram': '512MiB', cmdline: 'quiet' }).run();
    expect(trace.header.settings).toEqual({ 'machine.ram': '512MiB', cmdline: 'quiet' });
    expect(trace.final.regions.find(({ name }) => name === 'initrd')?.bytes).toBe(initrd.length);
  });
});
