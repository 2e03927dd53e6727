/** Output files: whole or unchanged, with their mode, links and special files as they were. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { InputError } from '../../src/base/errors.js';
import { checkWritable, makeFolder, writeWhole } from '../../src/node/write-file.js';

const root = mkdtempSync(join(tmpdir(), 'sme-boot-write-'));
afterAll(() => rmSync(root, { recursive: true }));

let dir = '';
let count = 0;
beforeEach(() => {
  dir = join(root, String(count++));
  mkdirSync(dir);
});
const at = (name: string): string => join(dir, name);
const modeOf = (file: string): number => statSync(file).mode & 0o7777;

function refused(body: () => void): InputError {
  try {
    body();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a regular file', () => {
  test('that is new has the mode of the umask, and nothing else is left', () => {
    const before = process.umask(0o027);
    try {
      writeWhole(at('new'), 'text');
    } finally {
      process.umask(before);
    }
    expect([readFileSync(at('new'), 'utf8'), modeOf(at('new'))]).toEqual(['text', 0o640]);
    expect(readdirSync(dir)).toEqual(['new']);
  });

  test.each([0o600, 0o644, 0o755, 0o666])('that exists keeps its mode %o', (mode) => {
    writeFileSync(at('old'), 'before, and longer');
    chmodSync(at('old'), mode);
    const { ino } = statSync(at('old'));
    writeWhole(at('old'), new Uint8Array([1, 2]));
    expect([...readFileSync(at('old'))]).toEqual([1, 2]);
    expect(modeOf(at('old'))).toBe(mode);
    // It was replaced, not overwritten: a reader of the old one still has it.
    expect(statSync(at('old')).ino).not.toBe(ino);
    expect(readdirSync(dir)).toEqual(['old']);
  });

  test('may have a name of 255 bytes, and not of 256', () => {
    for (const length of [252, 255]) {
      const file = at('n'.repeat(length));
      writeWhole(file, 'x');
      expect(readFileSync(file, 'utf8')).toBe('x');
    }
    for (const attempt of [checkWritable, (file: string) => writeWhole(file, 'x')]) {
      const error = refused(() => attempt(at('n'.repeat(256))));
      expect([error.code, error.reason]).toEqual(['E_WRITE', 'the name is too long']);
    }
    expect(readdirSync(dir)).toHaveLength(2);
  });

  test.each([
    [
      'in a folder that is not there',
      'none/file',
      expect.stringMatching(/^there is no folder .*none$/),
    ],
    ['below a file', 'file/file', 'a part of the path is not a directory'],
    ['that is a folder', '.', 'it is a directory'],
    ['with a slash at its end', 'new/', 'it is a directory'],
  ])('%s is E_WRITE, before and at the writing', (_title, name, reason) => {
    writeFileSync(at('file'), '');
    const file = `${dir}/${name}`;
    for (const attempt of [checkWritable, (path: string) => writeWhole(path, 'x')]) {
      const error = refused(() => attempt(file));
      expect([error.code, error.place, error.reason]).toEqual(['E_WRITE', { file }, reason]);
    }
    expect(readdirSync(dir)).toEqual(['file']);
  });
});

describe('a symbolic link', () => {
  test('stays, and its target is replaced with its mode', () => {
    mkdirSync(at('inner'));
    writeFileSync(at('inner/target'), 'before');
    chmodSync(at('inner/target'), 0o600);
    symlinkSync('inner/target', at('first'));
    symlinkSync(at('first'), at('second'));
    writeWhole(at('second'), 'after');
    expect(readlinkSync(at('first'))).toBe('inner/target');
    expect(readlinkSync(at('second'))).toBe(at('first'));
    expect([readFileSync(at('inner/target'), 'utf8'), modeOf(at('inner/target'))]).toEqual([
      'after',
      0o600,
    ]);
    expect(readdirSync(at('inner'))).toEqual(['target']);
  });

  test('to a file that is not there makes that file', () => {
    symlinkSync('later', at('link'));
    writeWhole(at('link'), 'x');
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(at('later'), 'utf8')).toBe('x');
  });

  test('to itself is E_WRITE', () => {
    symlinkSync('loop', at('loop'));
    expect(refused(() => writeWhole(at('loop'), 'x')).reason).toBe('too many symbolic links');
  });
});

describe('a special file is written directly', () => {
  test('a FIFO, which waits for its reader and stays', async () => {
    expect(spawnSync('mkfifo', [at('fifo')]).status).toBe(0);
    const reader = spawn('sh', ['-c', 'sleep 0.2; cat "$0"', at('fifo')]);
    let got = '';
    reader.stdout.on('data', (data: Buffer) => (got += data.toString()));
    const closed = new Promise((done) => reader.on('close', done));
    // More than a pipe holds.
    const text = 'line\n'.repeat(50_000);
    writeWhole(at('fifo'), text);
    await closed;
    expect(got).toBe(text);
    expect(lstatSync(at('fifo')).isFIFO()).toBe(true);
    expect(readdirSync(dir)).toEqual(['fifo']);
  });

  test('a FIFO whose reader leaves is E_WRITE', () => {
    expect(spawnSync('mkfifo', [at('fifo')]).status).toBe(0);
    const reader = spawn('sh', ['-c', 'head -c 1 "$0"', at('fifo')], { stdio: 'ignore' });
    const error = refused(() => writeWhole(at('fifo'), 'x'.repeat(1_000_000)));
    reader.kill();
    expect([error.code, error.reason]).toEqual(['E_WRITE', 'the reader has closed the pipe']);
    expect(lstatSync(at('fifo')).isFIFO()).toBe(true);
  });

  test('a descriptor, behind what was written to it before', () => {
    const folder = existsSync('/proc/self/fd') ? '/proc/self/fd' : '/dev/fd';
    const fd = openSync(at('out'), 'w');
    try {
      writeFileSync(fd, 'first ');
      writeWhole(`${folder}/${String(fd)}`, 'second ');
      symlinkSync(`${folder}/${String(fd)}`, at('link'));
      writeWhole(at('link'), 'third');
    } finally {
      closeSync(fd);
    }
    expect(readFileSync(at('out'), 'utf8')).toBe('first second third');
    checkWritable('/dev/stdout');
    const error = refused(() => checkWritable(`${folder}/${String(fd)}`));
    expect([error.code, error.reason]).toEqual(['E_WRITE', 'it is closed, or not open for this']);
  });

  test('a device', () => {
    // A node of the test's own where it may make one: a fault must not replace the system's.
    const full = spawnSync('mknod', [at('full'), 'c', '1', '7']).status === 0 && isFull(at('full'));
    const device = full ? at('full') : '/dev/null';
    const { rdev } = statSync(device);
    if (full) {
      const error = refused(() => writeWhole(device, 'x'));
      expect([error.code, error.reason]).toEqual(['E_WRITE', 'no space left on the device']);
    } else writeWhole(device, 'x');
    expect(statSync(device).rdev).toBe(rdev);
    expect(statSync(device).isCharacterDevice()).toBe(true);
  });

  test('a socket cannot be opened: E_WRITE, and it stays', async () => {
    const { createServer } = await import('node:net');
    const server = createServer();
    const path = relative('.', at('s'));
    await new Promise<void>((done) => server.listen(path, done));
    try {
      const error = refused(() => writeWhole(path, 'x'));
      expect(error.code).toBe('E_WRITE');
      expect(lstatSync(path).isSocket()).toBe(true);
    } finally {
      await new Promise((done) => server.close(done));
    }
  });
});

/** Whether the system lets a device node of the test be used, and it is the full device of Linux. */
function isFull(file: string): boolean {
  const env = { ...process.env, LC_ALL: 'C' };
  const write = spawnSync('sh', ['-c', 'printf x > "$0"', file], { encoding: 'utf8', env });
  return write.stderr.includes('No space');
}

describe('what cannot be written leaves nothing', () => {
  /** A program that writes a file in a process of its own, within limits that `before` sets. */
  const bounded = (before: string, file: string): { out: string; status: number | null } => {
    const script = `
      import { checkWritable, writeWhole } from './src/node/write-file.js';
      // The superuser may write everywhere.
      if (process.getuid() === 0) process.setuid(65534);
      try { checkWritable(process.argv[2]); console.log('checked'); writeWhole(process.argv[2], 'x'.repeat(1_000_000)); console.log('written'); }
      catch (error) { console.log(error.message); }`;
    const stdin = { contents: script, resolveDir: '.', loader: 'js' } as const;
    const bundle = {
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: at('program.mjs'),
    } as const;
    buildSync({ stdin, ...bundle });
    const command = `${before}; exec "$0" "$1" "$2"`;
    const argv = ['-c', command, process.execPath, at('program.mjs'), file];
    const { stdout, status } = spawnSync('sh', argv, { encoding: 'utf8' });
    return { out: stdout, status };
  };

  test('at the limit of a file, an error and the old file', () => {
    for (const open of [root, dir]) chmodSync(open, 0o755);
    mkdirSync(at('out'));
    chmodSync(at('out'), 0o777);
    writeFileSync(at('out/file'), 'before');
    chmodSync(at('out/file'), 0o666);
    // 512 blocks of 512 bytes; the signal of the limit is ignored, as it is by programs that check.
    const { out } = bounded("trap '' XFSZ; ulimit -f 512", at('out/file'));
    expect(out).toMatch(/^checked\nE_WRITE: .*out.file: the file is larger than the limit/);
    expect(readFileSync(at('out/file'), 'utf8')).toBe('before');
    expect(readdirSync(at('out'))).toEqual(['file']);
  });

  test.each([
    ['a folder that may not be written', 0o555, 0o666, 'out/new'],
    ['a file that may not be written', 0o777, 0o444, 'out/file'],
  ])('in %s, an error before the writing', (_title, folderMode, fileMode, name) => {
    for (const open of [root, dir]) chmodSync(open, 0o755);
    mkdirSync(at('out'));
    writeFileSync(at('out/file'), 'before');
    chmodSync(at('out/file'), fileMode);
    chmodSync(at('out'), folderMode);
    expect(bounded(':', at(name)).out).toBe(`E_WRITE: ${at(name)}: permission denied\n`);
    expect(readFileSync(at('out/file'), 'utf8')).toBe('before');
    expect(readdirSync(at('out'))).toEqual(['file']);
  });
});

describe('a folder', () => {
  test('is made with those above it; E_WRITE where it cannot be', () => {
    makeFolder(at('a/b'));
    expect(statSync(at('a/b')).isDirectory()).toBe(true);
    writeFileSync(at('file'), '');
    expect(refused(() => makeFolder(at('file/c'))).code).toBe('E_WRITE');
  });
});
