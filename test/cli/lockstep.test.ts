import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { elf, LABEL, type Mistakes } from '../analysis/lock-step/image.js';
import { sme, type Ran } from './io.js';

const directory = mkdtempSync(join(tmpdir(), 'sme-boot-lockstep-'));
const file = join(directory, 'own.elf');
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function lockstep(mistakes: Mistakes, ...argv: string[]): Promise<Ran> {
  writeFileSync(file, elf(mistakes));
  return sme(['lockstep', file, 'bios-minimal', '--stage', '0', '--at', LABEL, ...argv]);
}

const RETURN =
  'return address into startup_64 at init_thread_union+0x3ff0: the model places its call sites itself';

describe('sme-boot lockstep', () => {
  test('with nothing but a return address says 0 differences', async () => {
    const { status, out } = await lockstep({});
    expect(out.split('\n')).toEqual([
      `${LABEL} after 14 instructions`,
      RETURN,
      '0 differences',
      '',
    ]);
    expect(status).toBe(0);
  });

  test('lists each byte that one wrong store makes differ, by symbol', async () => {
    const { status, out } = await lockstep(
      { fixmapEntry: 505 },
      '--set',
      'loader.kernelAt=0x2000000',
    );
    expect(out.split('\n').slice(1)).toEqual([
      expect.stringMatching(/^memory {4}0x([0-9a-f]+)\.\.0x\1 {2}level2_fixmap_pgt\+0xfcb$/),
      '  image   C=0  01',
      '  model   C=0  00',
      expect.stringMatching(/^memory {4}0x([0-9a-f]+)\.\.0x\1 {2}level2_fixmap_pgt\+0xfd3$/),
      '  image   C=0  01',
      '  model   C=0  02',
      RETURN,
      '2 differences',
      '',
    ]);
    expect(status).toBe(1);
  });

  test('lists registers and writes', async () => {
    const extra = 'b9 00 01 00 c0 b8 00 10 00 00 31 d2 0f 30';
    const { status, out } = await lockstep({ extra });
    expect(out).toContain('\nregister  MSR FS_BASE  image 0x1000  model 0x0\n');
    expect(out).toContain('\nwrite     only by the image, its write 1: FS_BASE := 0x1000\n');
    expect([status, out.endsWith('\n2 differences\n')]).toEqual([1, true]);
    const json = await lockstep({ extra }, '--format', 'json');
    expect(JSON.parse(json.out)).toMatchObject({
      at: LABEL,
      end: 'label',
      registers: [{ name: 'MSR FS_BASE' }],
      writes: [{ by: 'image', number: 1 }],
      memory: [
        {
          bytes: 1,
          symbol: 'init_thread_union+0x3ff0',
          returnsTo: 'startup_64',
          image: { key: 0, hex: '0c' },
        },
      ],
    });
  });

  test.each([
    [
      'f4',
      1,
      /^the image did not come to startup_64:identity-map: halt at 0x1000037, after 15 ins/,
    ],
    ['eb fe', 1, /: the limit of instructions at 0x1000036, after 50 instructions\n$/],
    ['d9 fe', 4, /: not modelled: FSIN, fsin \(d9fe\) at 0x1000036, after 14 ins/],
  ])('an image with %s before the label: exit status %i', async (extra, expected, text) => {
    const { status, out } = await lockstep({ extra }, '--max-instructions', '50');
    expect(out).toMatch(text);
    expect(status).toBe(expected);
  });

  test('an image is no option', async () => {
    const { status, err } = await lockstep({}, '--kernel', file);
    expect(status).toBe(2);
    expect(err).toContain('lockstep takes its image as an argument');
  });

  test('a label that the image has no symbol for', async () => {
    writeFileSync(file, elf());
    const { status, err } = await sme([
      'lockstep',
      file,
      'bios-minimal',
      '--at',
      'startup_64:switch',
    ]);
    expect(status).toBe(2);
    expect(err).toContain('the image has no symbol "startup_64:switch"');
  });
});
