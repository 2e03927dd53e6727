/** Archives written by this project, read by the tools. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readCpio, writeCpio } from '../../src/firmware/cpio.js';
import { builtInInitrd } from '../../src/firmware/initrd.js';
import { ARCHIVES } from '../fixtures/cpio/files.js';
import { inDirectory } from './directory.js';
import { tool, toolText } from './tool.js';

const NOTHING = new Uint8Array(0);
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

describe('GNU cpio', () => {
  test('unpacks an archive written by writeCpio', () => {
    const entries = ARCHIVES.get('root.cpio') ?? [];
    const archive = writeCpio(
      entries.map(({ name, mode, body }) => ({
        name,
        mode: (body === undefined ? S_IFDIR : S_IFREG) | mode,
        body: body ?? NOTHING,
      })),
    );
    inDirectory((directory) => {
      tool('cpio', ['-i', '--quiet'], archive, directory);
      for (const { name, mode, body } of entries) {
        const path = join(directory, name);
        expect(statSync(path).mode & 0o777).toBe(mode);
        expect(statSync(path).isDirectory()).toBe(body === undefined);
        if (body !== undefined) expect(new Uint8Array(readFileSync(path))).toEqual(body);
      }
    });
  });

  test('lists the root file system of the built-in initrd, decompressed by gzip', () => {
    const initrd = builtInInitrd();
    const { end } = readCpio(initrd, { file: 'initrd' });
    const packed = tool('gzip', ['-dc'], initrd.subarray(end));
    const { entries } = readCpio(packed, { file: 'root' });
    expect(entries.length).toBeGreaterThan(1);
    expect(toolText('cpio', ['-t', '--quiet'], packed).trim().split('\n')).toEqual(
      entries.map(({ name }) => name),
    );
  });
});
