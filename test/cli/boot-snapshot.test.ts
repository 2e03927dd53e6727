/** `run --execute --snapshot` and `--from`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeProgram } from './code-image.js';
import { sha256 } from '../sha256.js';
import { sme, type Ran } from './io.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-snapshot-'));
  writeProgram(dir, 'halts');
  writeProgram(dir, 'other', '90');
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const at = (name: string): string => join(dir, name);
const execute = (kernel: string, ...words: string[]): Promise<Ran> =>
  sme(['run', 'bios-minimal', '--kernel', at(kernel), '--execute', ...words]);
const endOf = ({ out }: Ran): string | undefined => out.trimEnd().split('\n').at(-1);

describe('a run that goes on from a snapshot', () => {
  test('ends as the run without a stop, and prints the rest of the console', async () => {
    const whole = await execute('halts');
    const first = await execute('halts', '--until', 'put_o', '--snapshot', at('state'));
    expect(first.status).toBe(0);
    expect(first.out).toContain(`\nsnapshot: ${at('state')}; --from goes on from it\n`);
    const second = await execute('halts', '--from', at('state'));
    expect(second.err).toBe('');
    expect(second.out).toMatch(/\ngoes on after \d+ instructions\n/);
    expect(endOf(second)).toBe(endOf(whole));
    expect(second.out).toContain('\nok\n');
  });

  test('goes on after the limit of instructions too, and --expect sees the whole console', async () => {
    await execute('halts', '--max-instructions', '6', '--snapshot', at('state'));
    const { status } = await execute('halts', '--from', at('state'), '--expect', 'console=ok');
    expect(status).toBe(0);
  });

  test('with the sanitizer has the reports of before', async () => {
    const whole = await execute('halts', '--sanitize');
    await execute('halts', '--sanitize', '--max-instructions', '6', '--snapshot', at('state'));
    const { out } = await execute('halts', '--sanitize', '--from', at('state'));
    expect(out.slice(out.indexOf('\nhalt in'))).toBe(
      whole.out.slice(whole.out.indexOf('\nhalt in')),
    );
  });

  test('says that a function of --until was not entered after it, where it is inside of its call', async () => {
    await execute('halts', '--max-instructions', '4', '--snapshot', at('state'));
    const { status, out } = await execute('halts', '--from', at('state'), '--until', 'put_o');
    expect(status).toBe(1);
    expect(out).toMatch(/\nhalt in .*; put_o was not entered after the snapshot\n$/);
  });

  test.each<[string, Uint8Array]>([
    ['that V8 did not write', Uint8Array.of(1, 2, 3)],
    ['of something else', serialize({ machine: 1 })],
    ['that is cut', serialize({ labels: ['x'] }).subarray(0, 7)],
  ])('whose digest is right and whose state is one %s is refused', async (_what, state) => {
    await execute('halts', '--max-instructions', '4', '--snapshot', at('state'));
    const file = readFileSync(at('state'));
    const head = JSON.parse(file.toString('utf8', 0, file.indexOf('\n'))) as object;
    const text = JSON.stringify({ ...head, bytes: state.length, sha256: sha256(state) });
    writeFileSync(at('forged'), Buffer.concat([Buffer.from(`${text}\n`), state]));
    expect(await execute('halts', '--from', at('forged'))).toEqual({
      status: 2,
      out: '',
      err: `sme-boot: E_BOOT_SNAPSHOT: ${at('forged')}: it has no state of a boot; expected a file of --snapshot\n`,
    });
  });

  test('is not written where the boot does not go on', async () => {
    const { status, out } = await execute('halts', '--snapshot', at('none'));
    expect(status).toBe(0);
    expect(out).toContain('\nno snapshot is written: after halt the boot does not go on\n');
  });
});

describe('refuses', () => {
  beforeAll(async () => {
    await execute('halts', '--until', 'put_o', '--snapshot', at('state'));
  });

  test.each([
    ['another image', ['other'], 'the snapshot is of a boot with another image'],
    [
      'another command line',
      ['halts', '--cmdline', 'quiet'],
      'another choice of --set or --cmdline',
    ],
    ['the sanitizer', ['halts', '--sanitize'], 'another choice of --sanitize'],
    ['a trace', ['halts', '--output', '-'], 'a trace is of a boot from its beginning'],
    [
      'an event of a trace',
      ['halts', '--expect', 'event={cr: CR3}'],
      'a trace is of a boot from its beginning',
    ],
  ])('%s', async (_what, [kernel = '', ...words], message) => {
    const { status, err } = await execute(kernel, ...words, '--from', at('state'));
    expect(status).toBe(2);
    expect(err).toContain(message);
  });

  test('a file that is none, one that is cut, one with a changed byte, and one that is not there', async () => {
    const bytes = readFileSync(at('state'));
    const changed = Buffer.from(bytes);
    changed[bytes.length - 100] = (changed[bytes.length - 100] ?? 0) ^ 1;
    for (const [content, message] of [
      ['', 'no snapshot of a boot'],
      ['{"sme-boot snapshot": 2}\n', 'no snapshot of a boot, or of another version'],
      [bytes.subarray(0, bytes.length - 1), 'the snapshot is damaged'],
      [changed, 'the snapshot is damaged'],
    ] as const) {
      writeFileSync(at('bad'), content);
      const { status, err } = await execute('halts', '--from', at('bad'));
      expect(err).toContain(`E_BOOT_SNAPSHOT: ${at('bad')}: ${message}`);
      expect(status).toBe(2);
    }
    expect((await execute('halts', '--from', at('missing'))).err).toContain('E_READ');
  });

  test('a folder that is not there, before the boot', async () => {
    const { status, err, out } = await execute('halts', '--snapshot', at('no/state'));
    expect(err).toContain('E_WRITE');
    expect(status).toBe(2);
    expect(out).toBe('');
  });

  test('both without --execute', async () => {
    const { status, err } = await sme(['run', '--from', at('state')]);
    expect(status).toBe(2);
    expect(err).toContain('--from has no effect without --execute');
  });
});
