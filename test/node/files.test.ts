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
  test('is read whole, or piece by piece where it is', () => {
    writeFileSync(file, bytes);
    expect(readBytes(file)).toEqual(bytes);
    const source = openBytes(file);
    expect(source.length).toBe(5000);
    expect(source.read(4990, 10)).toEqual(bytes.subarray(4990));
  });

  test('that is changed while it is read is refused from then on', () => {
    writeFileSync(file, bytes);
    const source = openBytes(file);
    truncateSync(file, 4000);
    expect(refusal(() => source.read(10, 20))).toMatchObject({
      code: 'E_READ',
      place: { file, offset: 10 },
    });
  });

  test('of 2 GiB is too large to be held, and one that has no end too', () => {
    const huge = join(dir, 'huge');
    writeFileSync(huge, '');
    truncateSync(huge, 2 ** 31);
    expect(refusal(() => readBytes(huge))).toMatchObject({
      code: 'E_FILE_TOO_LARGE',
      place: { file: huge },
      found: String(2 ** 31),
    });
    // Where it is read piece by piece it is as good as any.
    expect(openBytes(huge).length).toBe(2 ** 31);
  });

  test('that is not there, or is a directory, is told', () => {
    expect(refusal(() => openBytes(join(dir, 'none'))).reason).toBe('no such file');
    expect(refusal(() => readBytes(dir)).reason).toBe('it is a directory');
  });

  test('that is empty is a source of nothing', () => {
    writeFileSync(file, '');
    expect(openBytes(file).length).toBe(0);
  });
});
