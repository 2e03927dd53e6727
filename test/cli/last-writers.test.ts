/** What overwrote, or encrypted in place, data that a boot read wrong. */
import { describe, expect, test } from '@jest/globals';
import { LastWriters } from '../../src/cli/last-writers.js';
import type { BootOptions } from '../../src/sequencer/boot.js';
import { exhaustiveTest } from '../cases.js';
import { boot, scenario } from '../helpers.js';

/** The lines for each name that was read wrong, of readers that have any. */
function linesOf(options: Partial<BootOptions>): Record<string, string[]> {
  const subject = boot(options);
  const writers = new LastWriters(subject);
  do writers.beforeStep();
  while (subject.step());
  const trace = subject.finish();
  const wrong = trace.consumed.filter(({ intact }) => !intact);
  const all = wrong.map(
    (each) => [`${each.name}, ${each.by}`, writers.lines(each, trace)] as const,
  );
  return Object.fromEntries(all.filter(([, lines]) => lines.length > 0));
}
const UNPACK = 'initrd, unpack_to_rootfs';

describe('the lines below a wrong read', () => {
  test('name the function that overwrote the initrd, although another encrypted it afterwards', () => {
    expect(linesOf({ scenario: scenario('initrd-behind-kernel') })).toEqual({
      [UNPACK]: ['overwritten by sme_encrypt_kernel (18/sme_encrypt_kernel)'],
    });
  });

  test('name all that encrypted it in place, if it was encrypted twice', () => {
    expect(linesOf({ scenario: scenario('encrypted-tail') })).toEqual({
      [UNPACK]: [
        'encrypted in place by .Lencrypt_start (18/sme_encrypt_kernel)',
        'then encrypted in place by sme_early_mem_enc (08/sme_early_mem)',
      ],
    });
  });

  test('are absent if nothing but firmware and loader wrote there', () => {
    expect(linesOf({ without: ['09/initrd'] })).toEqual({});
    expect(linesOf({ stage: 17 })).toEqual({});
  });

  test('name a function of an own hunk that writes single values', () => {
    const { base = 0 } =
      boot()
        .regions()
        .find(({ name }) => name === 'initrd') ?? {};
    const lines = linesOf({
      extra: [
        {
          id: 'own/scribble',
          file: 'init/main.c',
          what: 'a value is written over the initrd',
          replaces: {
            reserve_initrd: (previous) => (k) => {
              previous(k);
              k.writeU64(k.__va(base), 0n);
            },
          },
        },
      ],
    });
    expect(lines).toEqual({ [UNPACK]: ['overwritten by reserve_initrd (own/scribble)'] });
  });

  exhaustiveTest('are absent for data of devices, which the kernel writes itself', () => {
    expect(linesOf({ scenario: scenario('epyc-efi') })).toEqual({});
  });
});
