/** Whole boots compared event by event with their expected traces: what `sme-boot check` does for all of them. */
import { expect, test } from '@jest/globals';
import { compare, createBoot, isSame, loadTrace } from '../../src/node/library.js';
import { firstOf } from '../cases.js';

test.each(
  firstOf(2, [
    ['epyc-efi', 'stage-18', { stage: 18 }],
    ['bios-devices', 'stage-18', { stage: 18 }],
    ['bios-minimal', 'activated-08', { stage: 8, activate: true }],
    ['kexec', 'stage-18', { stage: 18 }],
  ]),
)('%s has its trace %s', (name, file, options) => {
  const difference = compare(
    loadTrace(`traces/${name}/${file}.yaml`),
    createBoot(name, options).run(),
  );
  // A report of all differences could be megabytes.
  expect(difference.steps.slice(0, 1)).toEqual([]);
  expect(isSame(difference)).toBe(true);
});
