/** The same boot in other places: a fresh process, and an environment that has nothing of Node. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { parse } from 'yaml';
import { serialize } from '../../src/machine/codec.js';
import { LABELS } from '../../src/sequencer/boot.js';
import { printTrace } from '../../src/trace/yaml-out.js';
import { boot } from '../helpers.js';

const data = parse(readFileSync('scenarios/bios-minimal.yaml', 'utf8')) as unknown;
let dir: string;
let whole: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-elsewhere-'));
  whole = printTrace(boot().run());
  await build({
    entryPoints: ['test/sequencer/portable.ts'],
    outfile: join(dir, 'portable.js'),
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'portable',
    logLevel: 'error',
  });
}, 60_000);
afterAll(() => {
  rmSync(dir, { recursive: true });
});

describe('the core', () => {
  test('bundles for a browser and boots the same trace with only what a browser has', () => {
    const code = readFileSync(join(dir, 'portable.js'), 'utf8');
    const context = createContext({ TextEncoder, TextDecoder, structuredClone, data });
    const found = runInContext(`${code}\nportable.trace(data)`, context) as string;
    expect(found).toBe(whole);
    expect(runInContext('typeof process + typeof Buffer + typeof require', context)).toBe(
      'undefinedundefinedundefined',
    );
  }, 120_000);

  test('goes on from a snapshot at each label in a fresh process with the same rest of the trace', () => {
    const subject = boot();
    for (const label of LABELS) {
      subject.runTo(label);
      writeFileSync(
        join(dir, `${String(LABELS.indexOf(label))}.snapshot`),
        serialize(subject.snapshot()),
      );
    }
    writeFileSync(join(dir, 'whole.yaml'), whole);
    writeFileSync(join(dir, 'scenario.json'), JSON.stringify(data));
    const program = `
      const { readFileSync } = require('node:fs');
      const portable = new Function(readFileSync('portable.js', 'utf8') + '; return portable;')();
      const data = JSON.parse(readFileSync('scenario.json', 'utf8'));
      const whole = readFileSync('whole.yaml', 'utf8');
      for (let i = 0; i < ${String(LABELS.length)}; i++) {
        const found = portable.trace(data, new Uint8Array(readFileSync(i + '.snapshot')));
        console.log(i + (found === whole ? ' same' : ' differs'));
      }`;
    const ran = spawnSync(process.execPath, ['-e', program], { cwd: dir, encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    expect(ran.stdout.trim().split('\n')).toEqual(LABELS.map((_, i) => `${String(i)} same`));
  }, 300_000);
});
