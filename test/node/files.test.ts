import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { openBytes, readBytes } from '../../src/node/files.js';
import { refusal } from '../firmware/image/build.js';

const dir = mkdtempSync(join(tmpdir(), 'sme-boot-files-'));
afterAll(() => rmSync(dir, { recursive: true }));

const file = join(dir, 'file');
const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);

describe('a file', () => {
  test('is read whole, or on demand by ranges', () => {
    writeFileSync(file, bytes);
    expect(readBytes(file)).toEqual(bytes);
    const source = openBytes(file);
    expect(source.length).toBe(5000);
    expect(source.read(4990, 10)).toEqual(bytes.subarray(4990));
  });

  test('that is changed while it is open is refused from then on', () => {
    writeFileSync(file, bytes);
    const source = openBytes(file);
    truncateSync(file, 4000);
    expect(refusal(() => source.read(10, 20))).toMatchObject({
      code: 'E_READ',
      place: { file, offset: 10 },
    });
  });

  test('of 2 GiB is too large to read whole, and so is an endless one', () => {
    const huge = join(dir, 'huge');
    writeFileSync(huge, '');
    truncateSync(huge, 2 ** 31);
    expect(refusal(() => readBytes(huge))).toMatchObject({
      code: 'E_FILE_TOO_LARGE',
      place: { file: huge },
      found: String(2 ** 31),
    });
    // Read on demand, its size is no problem.
    expect(openBytes(huge).length).toBe(2 ** 31);
  });

  test('that does not exist, or is a directory, is E_READ with the reason', () => {
    expect(refusal(() => openBytes(join(dir, 'none'))).reason).toBe('no such file');
    expect(refusal(() => readBytes(dir)).reason).toBe('it is a directory');
  });

  test('that is empty is an empty source', () => {
    writeFileSync(file, '');
    expect(openBytes(file).length).toBe(0);
  });
});
