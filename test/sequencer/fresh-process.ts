/** Boots in another process, from a bundle that does not use Node's APIs. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { parse } from 'yaml';
import { serialize } from '../../src/machine/codec.js';
import { VERSION } from '../../src/base/version.js';
import { LABELS } from '../../src/sequencer/boot.js';
import { boot } from '../helpers.js';

/** The scenario of these boots. */
export const data = parse(readFileSync('scenarios/bios-minimal.yaml', 'utf8')) as unknown;

/** Bundles portable.ts into a folder. */
export async function bundlePortable(dir: string): Promise<void> {
  await build({
    entryPoints: ['test/sequencer/portable.ts'],
    outfile: join(dir, 'portable.js'),
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'portable',
    define: { SME_BOOT_VERSION: JSON.stringify(VERSION) },
    logLevel: 'error',
  });
}

/**
 * Resumes from a snapshot at each of some labels in one new process, in the folder of the bundle. Returns a line for each
 * label: `LABEL same` if the whole trace equals the given one.
 */
export function resumeElsewhere(dir: string, labels: readonly string[], whole: string): string[] {
  const subject = boot();
  for (const label of LABELS.filter((each) => labels.includes(each))) {
    subject.runTo(label);
    const file = `${String(labels.indexOf(label))}.snapshot`;
    writeFileSync(join(dir, file), serialize(subject.snapshot()));
  }
  writeFileSync(join(dir, 'whole.yaml'), whole);
  writeFileSync(join(dir, 'input.json'), JSON.stringify({ data, labels }));
  const program = `
    const { readFileSync } = require('node:fs');
    const portable = new Function(readFileSync('portable.js', 'utf8') + '; return portable;')();
    const { data, labels } = JSON.parse(readFileSync('input.json', 'utf8'));
    const whole = readFileSync('whole.yaml', 'utf8');
    labels.forEach((label, i) => {
      const found = portable.trace(data, new Uint8Array(readFileSync(i + '.snapshot')));
      console.log(label + (found === whole ? ' same' : ' differs'));
    });`;
  const ran = spawnSync(process.execPath, ['-e', program], { cwd: dir, encoding: 'utf8' });
  return [ran.stderr, ...ran.stdout.trim().split('\n')].filter((line) => line !== '');
}
