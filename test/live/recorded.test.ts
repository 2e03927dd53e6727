/** Each recorded fixture equals the output of the installed tool. */
import { describe, expect, test } from '@jest/globals';
import { ARCHIVES } from '../fixtures/cpio/files.js';
import { fixture, fixtureText } from '../fixtures/fixture.js';
import { pack } from './pack.js';
import { tool, toolText } from './tool.js';

/** Runs the device tree compiler on bytes. */
const dtc = (from: string, to: string, input: Uint8Array | string): Uint8Array =>
  tool('dtc', ['-q', '-I', from, '-O', to, '-'], input);
const decompiled = (blob: Uint8Array): string =>
  toolText('dtc', ['-q', '-I', 'dtb', '-O', 'dts', '-'], blob);

describe('GNU cpio', () => {
  test.each([...ARCHIVES])('packs %s as recorded', (name, entries) => {
    expect(pack(entries)).toEqual(fixture(`cpio/${name}`));
  });
});

describe('dtc', () => {
  test('compiles board.dts as recorded', () => {
    expect(dtc('dts', 'dtb', fixtureText('dtc/board.dts'))).toEqual(fixture('dtc/board.dtb'));
  });

  test('finds the same values in values.dtb as in values.dts', () => {
    const theirs = dtc('dts', 'dtb', fixtureText('dtc/values.dts'));
    expect(decompiled(fixture('dtc/values.dtb'))).toBe(decompiled(theirs));
  });

  test('decompiles built-in.dtb to built-in.dts, which survives compiling and decompiling', () => {
    const source = decompiled(fixture('dtc/built-in.dtb'));
    expect(source).toBe(fixtureText('dtc/built-in.dts'));
    expect(decompiled(dtc('dts', 'dtb', source))).toBe(source);
  });
});
