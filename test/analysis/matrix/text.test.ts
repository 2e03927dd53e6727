import { describe, expect, test } from '@jest/globals';
import {
  matrixMarkdown,
  matrixText,
  type MatrixPainter,
} from '../../../src/analysis/matrix/text.js';
import { matrixSchema } from '../../../src/analysis/matrix/report.js';
import { initrdRow, report, row, wholeSeries } from './reports.js';

const painter: MatrixPainter = {
  heading: (text) => `<h>${text}</h>`,
  quiet: (text) => `<q>${text}</q>`,
  good: (text) => `<g>${text}</g>`,
  bad: (text) => `<b>${text}</b>`,
};
const unpainted = (text: string): string => text.replace(/<\/?[hqgb]>/g, '');

describe('a matrix on a terminal', () => {
  test('has a block per scenario with its columns aligned, and the totals at the end', () => {
    const two = report([row(), initrdRow(), row({ scenario: 'epyc-efi', how: 'stub' })]);
    expect(matrixText(two)).toBe(`\
bios-minimal
  booted; read as garbage: BIOS data area
  hunk          how  outcome  read wrongly  cause
  04/scattered  out  booted   -             nothing in this boot asked for
                                            it
  09/initrd     out  panic    initrd        written by loader with C=0 and
                                            never encrypted, read by
                                            unpack_to_rootfs with C=1

epyc-efi
  booted; read as garbage: BIOS data area
  hunk          how   outcome  read wrongly  cause
  04/scattered  stub  booted   -             nothing in this boot asked for
                                             it

rfc-v1 without each hunk: 3 rows, 1 differs from the whole series (1 panic)
`);
  });

  test('prints the cause below the row if the columns are too narrow', () => {
    expect(matrixText(report([initrdRow()]), undefined, 50)).toContain(`
  hunk       how  outcome  read wrongly
    cause
  09/initrd  out  panic    initrd
    written by loader with C=0 and never
    encrypted, read by unpack_to_rootfs with C=1
`);
  });

  test.each([60, 61, 65, 70, 80, 99, 100, 101, 120, 300])(
    'has no line longer than %i columns',
    (columns) => {
      const lines = matrixText(wholeSeries(), undefined, columns).split('\n');
      const longest = Math.max(...lines.map((line) => line.length));
      expect(longest).toBeLessThanOrEqual(columns);
      expect(lines.filter((line) => /\s$/.test(line))).toEqual([]);
    },
  );

  test('has one line per row if the width is not limited', () => {
    const lines = matrixText(wholeSeries(), undefined, Infinity).split('\n');
    expect(lines.filter((line) => line.startsWith('  09/'))).toHaveLength(4);
    expect(lines.filter((line) => line.startsWith('    '))).toEqual([]);
  });

  test('colours rows by outcome and has the same text without colours', () => {
    const one = report([
      row(),
      initrdRow(),
      initrdRow({ hunk: '10/efi', outcome: { kind: 'booted' } }),
    ]);
    const painted = matrixText(one, painter);
    expect(painted).toContain('<q>04/scattered</q>');
    expect(painted).toContain('<q>booted</q>');
    expect(painted).toContain('<b>panic</b>');
    expect(painted).toContain('<g>booted</g>');
    expect(painted).toContain('<b>initrd</b>');
    expect(unpainted(painted)).toBe(matrixText(one));
  });

  test('prints lost and gained reads if there is no wrong read', () => {
    const lost = row({ hunk: '10/efi', same: false, lost: ['ESRT', 'BGRT'] });
    const gained = row({ hunk: '10/esrt', same: false, gained: ['option ROM'] });
    const text = matrixText(report([lost, gained]), undefined, 200);
    expect(text).toContain('not read: ESRT, BGRT');
    expect(text).toContain('now intact: option ROM');
    expect(text).toContain('2 rows, 2 differ from the whole series (2 booted)');
  });

  test('has the reports that came and went after the cause', () => {
    const reports = [
      { rule: 'wrong-key-read', added: 2, changed: 1, at: ['initrd', 'a|b'] },
      { rule: 'mixed-key-line', gone: 1, at: ['sme_workarea'] },
    ];
    const one = report([row({ cause: 'c', reports })]);
    const text = 'c; reports: wrong-key-read +2 ~1 (initrd, a|b), mixed-key-line -1 (sme_workarea)';
    expect(matrixText(one, undefined, 300)).toContain(`  ${text}\n`);
    expect(matrixMarkdown(one)).toContain(
      `| ${text.replaceAll('|', '\\|').replace(/~/g, '\\~')} |`,
    );
    expect(matrixSchema.parse(one)).toEqual(one);
  });

  test('lists the rows that are missing', () => {
    const text = matrixText(report([row()], { missing: ['bios-minimal 09/initrd'] }));
    expect(text).toMatch(
      /1 row, none differ from the whole series\nmissing: 1\n {2}bios-minimal 09\/initrd\n$/,
    );
  });

  test('prints a scenario without rows, and a report without scenarios', () => {
    const { scenarios } = report([row()]);
    expect(matrixText(report([], { scenarios }))).toMatch(/^bios-minimal\n {2}booted/);
    expect(matrixText(report([]))).toBe(
      'rfc-v1 without each hunk: 0 rows, none differ from the whole series\n',
    );
  });

  test('escapes control characters of a report', () => {
    const bad = row({ hunk: '09/\u001b[2Jx', cause: 'a\nb\u0007c' });
    const text = matrixText(report([bad], { missing: ['a\rb'] }));
    expect(text).toContain('09/\\u001b[2Jx');
    expect(text).toContain('a b\\u0007c');
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('a matrix as Markdown', () => {
  test('has a table per scenario', () => {
    expect(matrixMarkdown(report([row(), initrdRow()], { missing: ['epyc-efi 09/initrd'] })))
      .toBe(`\
# rfc-v1 without each hunk

2 rows, 1 differs from the whole series (1 panic).

## bios-minimal

The whole series: booted; read as garbage: BIOS data area.

| hunk | how | outcome | read wrongly | written by | read by | cause |
| --- | --- | --- | --- | --- | --- | --- |
| 04/scattered | out | booted (same) | - | - | - | nothing in this boot asked for it |
| 09/initrd | out | panic in mount_block_root: VFS: Unable to mount root fs on unknown-block(0,0) | initrd | loader (C=0) | unpack_to_rootfs (C=1) | written by loader with C=0 and never encrypted, read by unpack_to_rootfs with C=1 |

## Missing rows

- epyc-efi 09/initrd
`);
  });

  test.each([
    ['a|b', 'a\\|b'],
    ['a\\|b', 'a\\\\\\|b'],
    ['a\nb', 'a b'],
    ['<img onerror=x>', '\\<img onerror=x\\>'],
    ['*p & [q](r)', '\\*p &amp; \\[q\\](r)'],
    ['__pa of `x`', '\\_\\_pa of \\`x\\`'],
    ['early_memremap', 'early_memremap'],
  ])('escapes %j in its cell', (cause, cell) => {
    const text = matrixMarkdown(report([row({ cause })]));
    expect(text.split('\n').find((line) => line.startsWith('| 04'))).toBe(
      `| 04/scattered | out | booted (same) | - | - | - | ${cell} |`,
    );
  });
});
