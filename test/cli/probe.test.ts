import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readScript } from '../../src/analysis/calls/file.js';
import { readText } from '../../src/node/files.js';
import { firstOf } from '../cases.js';
import { sme } from './io.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-probe-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const shipped = readdirSync('probes').sort();
/** Call scripts whose last call ends the boot: that is what they show. */
const ENDS = new Set(['attribute-early.yaml']);

/** Writes a call script of one step and runs it. */
const one = (step: string, { at = 'early_cpu_init', more = '' } = {}, ...argv: string[]) => {
  const file = join(dir, 'one.yaml');
  const head = `probe: one step\npatch: 3\nscenario: bios-minimal\nat: ${at}\n${more}`;
  writeFileSync(file, `${head}calls:\n  - ${step}\n`);
  return sme(['probe', file, ...argv]);
};

describe('sme-boot probe', () => {
  test.each(firstOf(4, shipped))('%s finds all its names at the last stage', async (name) => {
    const file = join('probes', name);
    const { patch } = readScript(file, readText(file)).probe;
    // A call script that belongs to no patch has a name of letters.
    const begin =
      patch === undefined ? /^[a-z]/ : new RegExp(`^${String(patch).padStart(2, '0')}-`);
    expect(name).toMatch(begin);
    const { status, out, err } = await sme(['probe', file]);
    expect([status, err]).toEqual([0, '']);
    expect(out).not.toMatch(/absent:|skipped:|before the label/);
    expect(/ended:/.test(out)).toBe(ENDS.has(name));
  });

  test('reports a helper as absent before its patch', async () => {
    const { status, out } = await sme(['probe', 'probes/03-mask.yaml', '--stage', '2']);
    expect(status).toBe(0);
    expect(out).toMatch(/^bios-minimal, patches 1 to 2, after early_cpu_init$/m);
    expect(out.match(/absent: \w+ is added by patch 3/g)).toHaveLength(3);
  });

  test('prints a call, its arguments, its events and its result', async () => {
    const { out } = await sme(['probe', 'probes/07-early-memremap-initrd.yaml']);
    const lines = out.split('\n');
    expect(lines.slice(2, 6)).toEqual([
      '  early_memremap_enc(initrd, 4096) → $enc',
      '    with 0x7ff9e000, 0x1000',
      '    enter early_memremap_enc, in early_memremap_enc, hunk 07/ioremap',
      expect.stringMatching(/^ {4}map 0xf{8}ff200000\.\..* C 1, type WB, table bm_pte/),
    ]);
    expect(out).toMatch(/^ {4}30 37 30 37 .*\|0707010000000100\|\n {4}same bytes as initrd$/m);
    expect(out).toMatch(/^ {4}physical 0x7ff9e000, C=0, WP, RW\|A\|D\|G\|NX$/m);
  });

  test('swaps bytes in DRAM: plaintext moves, ciphertext does not decrypt at another address', async () => {
    const swapped = async (place: string, other: string, read: string): Promise<string> => {
      const steps = [
        `{ write: ${read}, bytes: sixteen letters. }`,
        `{ swap: ${place}, with: ${other}, length: 16, wbinvd: true }`,
        `{ bus: ${other}, length: 16 }`,
        `{ read: ${read}+16, length: 16 }`,
      ];
      const { status, out } = await one(steps.join('\n  - '), { at: 'reserve_initrd' });
      expect(status).toBe(0);
      return out.split('\n').findLast((line) => line.includes('|')) ?? '';
    };
    expect(await swapped('initrd', 'initrd+16', 'initrd')).not.toContain('|sixteen letters.|');
    const { out } = await sme(['probe', 'swapped-ciphertext']);
    const read = out.split('\n').findLast((line) => line.includes('|'));
    expect(read).toContain('|sixteen letters.|');
  });

  test.each([
    [
      '{ swap: initrd, with: initrd+8, length: 16 }',
      /E_PROBE_BYTES.*calls\[0\]\.length.*at most 8/,
    ],
    ['{ swap: initrd, with: no-such-place, length: 16 }', /E_PLACE.*calls\[0\]\.with/],
    ['{ swap: initrd, length: 16 }', /E_PROBE/],
  ])('refuses %s', async (step, message) => {
    const { status, err } = await one(step, { at: 'reserve_initrd' });
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });

  test('finds a call script of the package by its name, from any folder', async () => {
    expect((await sme(['probe', '03-mask'])).out).toMatch(/^03 /);
    const unknown = await sme(['probe', '03-mas']);
    expect(unknown.status).toBe(2);
    expect(unknown.err).toMatch(/E_PROBE_UNKNOWN: .*did you mean 03-mask\?/);
  });

  test('prints YAML, and the call scripts of a directory in order', async () => {
    for (const name of ['b', 'a']) {
      const text = readText('probes/03-mask.yaml').replace(/^probe: .*/m, `probe: ${name}`);
      writeFileSync(join(dir, `${name}.yaml`), text);
    }
    writeFileSync(join(dir, 'one.yaml'), readText('probes/03-mask.yaml'));
    const { out } = await sme(['probe', dir, '--stage', '3', '--format', 'yaml']);
    expect(out.match(/^- probe: .*/gm)).toEqual([
      '- probe: a',
      '- probe: b',
      '- probe: sme_me_mask and sme_get_me_loss()',
    ]);
    expect(out).toMatch(/^ {4}- step: sme_me_mask\(\)\n {6}status: done\n {6}result: 0x0$/m);
  });

  test('applies the settings of the call script and --activate', async () => {
    const more = 'set: { machine.sme.cBit: 47, machine.sme.reduction: 3 }\n';
    const call = '{ call: sme_get_me_loss }';
    const { out } = await one(call, { more }, '--stage', '6', '--activate');
    expect(out).toContain('patches 1 to 6 and 18');
    expect(out).toMatch(/= 0x3$/m);
  });

  test('reports an end in a step, and one before the label', async () => {
    const ended = await one('{ read: 16, length: 1 }', { at: 'reserve_initrd' });
    expect([ended.status, ended.out]).toEqual([
      0,
      expect.stringMatching(/ended: panic in page_fault: BUG: unable to handle/),
    ]);
    const before = await one(
      '{ call: sme_me_mask }',
      { at: 'reserve_initrd' },
      '--stage',
      '7',
      '--activate',
    );
    expect(before.out).toMatch(/panic before the label, in default_machine_specific_memory_setup/);
  });

  test.each([
    [['probe', 'nowhere.yaml'], /E_READ/],
    [
      ['probe', 'probes/03-mask.yaml', '--stage', '19'],
      /E_STAGE: --stage: expected a plain number from 0 to 18/,
    ],
    [['probe', 'probes/03-mask.yaml', '--stage', '3', '--activate'], /E_MISSING_NEED/],
    [['probe', 'scenarios/bios-minimal.yaml'], /E_PROBE: scenarios.bios-minimal\.yaml/],
    [['probe', 'schemas'], /E_NOTHING/],
  ])('refuses %j', async (argv, message) => {
    const { status, out, err } = await sme(argv);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  test('reports errors in a call script with file, line and path', async () => {
    const { status, err } = await one('{ call: sme_get_me_los }');
    expect(status).toBe(2);
    expect(err).toMatch(/E_PROBE_FUNCTION: .*one\.yaml:6:13, calls\[0\]\.call/);
    const more = 'set: { machine.cpu: zen-99 }\n';
    expect((await one('{ call: sme_me_mask }', { more })).err).toMatch(/E_SCENARIO/);
    writeFileSync(
      join(dir, 'two.yaml'),
      readText('probes/03-mask.yaml').replace('minimal', 'none'),
    );
    const unknown = await sme(['probe', join(dir, 'two.yaml')]);
    expect(unknown.err).toMatch(
      /E_SCENARIO_UNKNOWN: .*two\.yaml:5:11, scenario: .*found bios-none/,
    );
  });
});
