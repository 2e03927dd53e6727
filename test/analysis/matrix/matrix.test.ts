/** Rows are made from checkpoints of one boot: each must equal the row of a complete boot without its hunk. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { removableHunks, Matrix } from '../../../src/analysis/matrix/matrix.js';
import type { MatrixRow } from '../../../src/analysis/matrix/report.js';
import { allHunks } from '../../../src/series/patches.js';
import { exhaustiveTest, firstOf } from '../../cases.js';
import { boot, scenario } from '../../helpers.js';
import { holds, optionsOf, whole, type Whole } from './whole-boots.js';

/** One hunk of each kind of row. */
const SOME = [
  // Never used; used without a difference in any step.
  '10/efi',
  '15/setup_real_mode',
  // A step differs, but no data that is read.
  '04/scattered',
  // Replaced by a stub.
  '08/sme_early_mem',
  // Data read as garbage, at the end or with the end of the boot.
  '06/sme_early_init',
  '09/initrd',
  // A fault.
  '06/load_cr3',
  // No encryption at all.
  '18/sme_enable',
];

describe('on bios-minimal', () => {
  let matrix: Matrix;
  let series: Whole;
  beforeAll(() => {
    const options = optionsOf('bios-minimal');
    matrix = new Matrix(options);
    series = whole(options);
  }, 60_000);

  test('the whole series ends as the scenario expects', () => {
    expect(matrix.scenario).toEqual({
      name: 'bios-minimal',
      digest: 'test',
      outcome: series.boot.outcome,
      garbage: series.boot.options.scenario.expect?.garbage,
    });
  });

  test.each(firstOf(2, SOME))(
    'the row of %s equals that of a complete boot without it',
    (id) => {
      const row = holds(matrix, series, id);
      expect(row.hunk).toBe(id);
      expect(row.command).toBe(
        `sme-boot run bios-minimal --without ${id}${row.how === 'stub' ? ' --stub' : ''}`,
      );
    },
    60_000,
  );

  exhaustiveTest(
    'rows do not depend on their order or on earlier rows',
    () => {
      const some = matrix.hunks.filter(({ hunk }) => SOME.includes(hunk.id));
      const rows = some.map((each) => matrix.row(each));
      const again = some.toReversed().map((each) => matrix.row(each));
      expect(again.reverse()).toEqual(rows);
      expect(some.map((each) => matrix.row(each))).toEqual(rows);
    },
    120_000,
  );

  test('a hunk that never runs is distinguished from one whose absence changes nothing', () => {
    const row = (id: string): MatrixRow | undefined =>
      matrix.hunks.filter(({ hunk }) => hunk.id === id).map((each) => matrix.row(each))[0];
    expect(row('10/efi')).toMatchObject({ same: true, cause: 'this boot never runs it' });
    expect(row('10/efi')?.firstUse).toBeUndefined();
    expect(row('15/setup_real_mode')).toMatchObject({
      same: true,
      firstUse: 'init_mem_mapping',
      cause: 'nothing runs differently',
    });
  });

  test('some rows have a known cause', () => {
    const line = (id: string): string | undefined =>
      matrix.hunks.filter(({ hunk }) => hunk.id === id).map((each) => matrix.row(each).cause)[0];
    expect(line('06/sme_early_init')).toBe(
      '/init reads user file page with C=0; unpack_to_rootfs wrote it with C=1',
    );
    expect(line('09/initrd')).toBe(
      'unpack_to_rootfs reads initrd with C=1; firmware or loader wrote it with C=0',
    );
    expect(line('06/load_cr3')).toMatch(
      /^#PF\(16\) at 0x[0-9a-f]+: the CPU reads PGD entry 0x[0-9a-f]+ with C=0; \w+ wrote it with C=1$/,
    );
    expect(line('18/sme_enable')).toMatch(/^no memory is encrypted; first startup_64: /);
  });
});

exhaustiveTest(
  'with the sanitizer on, rows have the reports of complete boots',
  () => {
    const options = { ...optionsOf('bios-minimal'), sanitize: true };
    const matrix = new Matrix(options);
    const series = whole(options);
    const row = holds(matrix, series, '09/initrd');
    expect(row.reports?.map(({ rule }) => rule)).toContain('wrong-key-read');
    // Steps are skipped after the first difference: with other writers of a range, of a line, of a table; with none.
    for (const id of ['08/sme_early_mem', '06/mem_encrypt', '01/pat_init', '15/msr-index']) {
      holds(matrix, series, id);
    }
    // A boot that ends early.
    holds(matrix, series, '06/load_cr3');
  },
  120_000,
);

exhaustiveTest(
  'on a machine without a cache rows equal those of complete boots too',
  () => {
    const options = boot({ scenario: scenario('bios-minimal', 'machine.cache.size=0') }).options;
    const matrix = new Matrix(options);
    const series = whole(options);
    for (const id of ['06/espfix', '09/bootdata', '13/swiotlb', '18/sme_encrypt_kernel']) {
      holds(matrix, series, id);
    }
  },
  120_000,
);

describe('on epyc-efi', () => {
  let matrix: Matrix;
  let series: Whole;
  beforeAll(() => {
    const options = optionsOf('epyc-efi');
    matrix = new Matrix(options);
    series = whole(options);
  }, 120_000);

  test.each(
    firstOf(2, [
      '10/efi',
      '13/swiotlb',
      '10/esrt',
      '11/set_real_mode_permissions',
      '15/trampoline_64',
    ]),
  )(
    'the row of %s equals that of a complete boot without it',
    (id) => {
      holds(matrix, series, id);
    },
    120_000,
  );
});

test('each hunk is left out unless others need its names', () => {
  const all = removableHunks({ stage: 18, activate: false });
  expect(all.map(({ hunk }) => hunk.id)).toEqual(allHunks().map(({ id }) => id));
  const how = new Map(all.map(({ hunk, how: way }) => [hunk.id, way]));
  expect(how.get('08/sme_early_mem')).toBe('stub');
  expect(how.get('09/initrd')).toBe('out');
});

exhaustiveTest('the screen at the end counts as read', () => {
  const options = { scenario: scenario('bios-minimal', 'machine.vga=true') };
  const matrix = new Matrix(boot(options).options);
  const leftOut = matrix.hunks.find(({ hunk }) => hunk.id === '16/vga_map_mem');
  if (leftOut === undefined) throw new Error('there is no such hunk');
  const row = matrix.row(leftOut);
  expect(row).toMatchObject({ same: false, wrong: { name: 'console', reader: 'the screen' } });
  const whole = boot({ ...options, without: ['16/vga_map_mem'] }).run();
  expect(whole.consumed).toContainEqual(
    expect.objectContaining({ name: 'console', by: 'the screen', intact: false }),
  );
});
