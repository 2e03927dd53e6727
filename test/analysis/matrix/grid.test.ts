/** The grid of a matrix's page. */
import { expect, test } from '@jest/globals';
import { gridHtml } from '../../../src/analysis/matrix/grid.js';
import { initrdRow, report, row } from './reports.js';

const two = report([
  row(),
  initrdRow(),
  row({ scenario: 'kexec' }),
  row({ scenario: 'kexec', hunk: '12/devicetree', same: false, outcome: { kind: 'hung' } }),
]);

test('has a cell for each row, which leads to it', () => {
  const html = gridHtml(two);
  const cells = [...html.matchAll(/class="cell ([\w-]+)" href="#row-(\d+)" title="([^"]*)"/g)];
  expect(cells.map(([, tone, index, title]) => [index, tone, title])).toEqual([
    ['0', 'same', '04/scattered in bios-minimal: as the whole series'],
    ['2', 'same', '04/scattered in kexec: as the whole series'],
    ['1', 'panic', expect.stringContaining('09/initrd in bios-minimal: panic in mount_block_root')],
    ['3', 'hung', '12/devicetree in kexec: hung'],
  ]);
  // A hunk that has no row in a scenario has an empty cell.
  expect(html.match(/<td><\/td>/g)).toHaveLength(3);
});

test('explains the colours that it has', () => {
  const [, legend = ''] = /<ul class="legend">(.*?)<\/ul>/s.exec(gridHtml(two)) ?? [];
  expect([...legend.matchAll(/class="cell ([\w-]+)"/g)].map(([, tone]) => tone)).toEqual([
    'same',
    'hung',
    'panic',
  ]);
});

test('is not there for one scenario, and escapes names', () => {
  expect(gridHtml(report([row(), initrdRow()]))).toBe('');
  expect(gridHtml(report([]))).toBe('');
  const evil = '"><img>';
  const html = gridHtml(report([row({ scenario: evil, hunk: evil }), row()]));
  expect(html).not.toContain('<img');
});
