/** `sme-boot findings`: the table, one finding, and the formats. */
import { describe, expect, test } from '@jest/globals';
import { findings } from '../../src/cli/findings.js';
import { sme } from './io.js';

const all = findings('.');
const WIDE = 76;
/** Lines that are too long, but for a single word of a command. */
const wide = (out: string, columns = WIDE): string[] =>
  out.split('\n').filter((line) => line.length > columns && !/^ +'\S+( \\)?$/.test(line));

describe('the table', () => {
  test('has each finding with its states by revision', async () => {
    const { out, status } = await sme(['findings']);
    expect(status).toBe(0);
    expect(out).toMatch(/^finding +patch +v1 +v2 +4\.14 +6\.1$/m);
    expect(out).toMatch(/^clear-mapping-tlb +09 +present +present +fixed +fixed$/m);
    expect(out).toMatch(/^ {2}--with 09\/flush-tlb$/m);
    expect(out).toMatch(/^freed-bounce-buffers +13 +present +present\? +fixed\? +fixed$/m);
    expect(all.filter(({ id }) => !new RegExp(`^${id} `, 'm').test(out))).toEqual([]);
  });

  test('fits 76 columns, each finding on a line of its own', async () => {
    const { out } = await sme(['findings'], { COLUMNS: String(WIDE) });
    expect(wide(out)).toEqual([]);
    expect(out.match(/^[a-z\d-]+ +(?:\d\d|-) +present +\w+\?? +\w+\?? +\w+\??$/gm)).toHaveLength(
      all.length,
    );
  });

  test('has only those of a patch, its own and related ones', async () => {
    const { out } = await sme(['findings', '--patch', '16']);
    expect(out).toContain('early-vga-console');
    expect(out).not.toContain('clear-mapping-tlb');
    expect((await sme(['findings', '--patch', '12'])).out).toBe('no finding concerns patch 12\n');
    const refused = await sme(['findings', '--patch', '19']);
    expect([refused.status, refused.err]).toEqual([2, expect.stringContaining('E_PATCH')]);
  });

  test('as Markdown is one row each', async () => {
    const { out } = await sme(['findings', '--format', 'markdown']);
    expect(out.trimEnd().split('\n')).toHaveLength(all.length + 2);
    expect(out).toMatch(
      /^\| VMRUN .* \| 17 \| present \| present \| partly \| fixed \| `17\/svm` /m,
    );
  });
});

describe('one finding', () => {
  test.each(all)('$id fits 76 columns in a pipe, and a terminal of 60', async ({ id, shows }) => {
    const { out } = await sme(['findings', id]);
    expect(wide(out)).toEqual([]);
    expect(wide((await sme(['findings', id], { NO_COLOR: '1' }, true)).out, 60)).toEqual([]);
    const text = out.replaceAll(/ \\\n +|\n +/g, ' ');
    for (const { command } of shows) expect(text).toContain(command.replaceAll(/\s+/g, ' '));
  });

  test('has where it is fixed, the source of the alternative, and the command that shows it', async () => {
    const { out } = await sme(['findings', 'clear-mapping-tlb']);
    expect(out).toMatch(/^4\.14 +fixed +arch\/x86\/mm\/mem_encrypt\.c: __sme_early_map_unmap_mem/m);
    expect(out).toMatch(/^--with 09\/flush-tlb: .*\n.*\n +source: the series as merged in v4\.14/m);
    expect(out).toMatch(
      /^ {2}sme-boot run bios-minimal --set machine\.mtrr=false\n {4}option ROM/m,
    );
  });

  test('as JSON has the source of each alternative; as Markdown its commands', async () => {
    const [data] = JSON.parse((await sme(['findings', 'vmcb', '--format', 'json'])).out) as {
      id: string;
      fixes: { id: string; source: string }[];
    }[];
    expect(data?.id).toBe('vmcb');
    expect(data?.fixes.map(({ source }) => source)).toEqual([
      expect.stringContaining('[PATCH v10 30/38]'),
      expect.stringContaining('[PATCH v4 29/34]'),
    ]);
    const { out } = await sme(['findings', 'vmcb', '--format', 'markdown']);
    expect(out).toContain(
      '```sh\nsme-boot run epyc-efi --output -\nsme-boot run epyc-efi --with 17/svm\n```',
    );
  });

  test('that there is not is answered with the nearest', async () => {
    const { status, err } = await sme(['findings', 'vcmb']);
    expect([status, err]).toEqual([
      2,
      expect.stringMatching(/E_FINDING_UNKNOWN.*did you mean vmcb/),
    ]);
    expect((await sme(['findings', 'vmcb', '--patch', '3'])).err).toMatch(/E_USAGE.*--patch/);
  });
});
