import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { seriesOf, type Series } from '../../src/series/series-file.js';
import { alternatives, allHunks } from '../../src/series/patches.js';
import { compose, isWholeSeries, upTo, type HunkSelection } from '../../src/series/compose.js';
import { readYaml } from '../../src/base/yaml-source.js';

const read = (text: string, file = 'x.yaml'): Series => seriesOf(readYaml(file, text));
const HEAD = 'name: x\ntitle: t\nsource: s\n';
const shipped = readdirSync('patches/series').sort();
const ship = (file: string): Series =>
  read(readFileSync(`patches/series/${file}`, 'utf8'), `patches/series/${file}`);

describe('the shipped series files', () => {
  test.each(shipped)('%s is named like its file, and links', (file) => {
    expect(`${ship(file).name}.yaml`).toBe(file);
  });

  test('rfc-v1 is the posted series', () => {
    const series = ship('rfc-v1.yaml');
    expect(isWholeSeries(series)).toBe(true);
    expect(compose(series).hunks).toEqual(allHunks());
  });

  test('fixed has all alternatives but halves, trials and one of two forms of a fix', () => {
    const known = alternatives().map(({ id }) => id);
    const put = ship('fixed.yaml').with ?? [];
    expect(known.filter((id) => !put.includes(id))).toEqual([
      '06/kexec-cr3',
      '09/relocate-plain',
      '10/kexec-map',
      '10/kexec-wbinvd',
      '10/by-address',
      '13/decrypt-late',
    ]);
  });

  test('merged-4-14 has no alternative whose source is our choice', () => {
    const put = ship('merged-4-14.yaml').with ?? [];
    const sources = alternatives().filter(({ id }) => put.includes(id));
    expect(sources).toHaveLength(put.length);
    for (const { source } of sources) expect(source).not.toBe('our choice');
  });
});

describe('a series file', () => {
  test('may have every option of a hunk selection', () => {
    const text = `${HEAD}stage: 12\nactivate: true\nwithout: ['08', 09/initrd]\nstub: true\nwith: [09/whole-pages]\n`;
    expect(read(text)).toEqual({
      name: 'x',
      title: 't',
      source: 's',
      stage: 12,
      activate: true,
      without: ['08', '09/initrd'],
      stub: true,
      with: ['09/whole-pages'],
    });
  });

  test('may give a patch as a number, also as 09, and a hunk with one digit', () => {
    const stub = 'stub: true\n';
    for (const one of ['09', '9', '"9"', '"09"']) {
      expect(read(`${HEAD}without: [${one}]\n${stub}`)).toMatchObject({ without: ['09'] });
    }
    expect(read(`${HEAD}without: [10, 9/initrd]\n${stub}`).without).toEqual(['10', '09/initrd']);
  });

  test('may have neutral, the former name of stub', () => {
    expect(read(`${HEAD}without: ['08']\nneutral: true\n`)).toMatchObject({ stub: true });
  });

  test.each([
    ['name: x\ntitle: t\n', /^E_SERIES: x\.yaml:1:1, source: expected text/],
    [`${HEAD}stages: 3\n`, /^E_SERIES: x\.yaml:4:1, stages: unknown key/],
    [`${HEAD}stage: 99\n`, /^E_SERIES: x\.yaml:4:8, stage: a stage is a number from 0 to \d+/],
    [`${HEAD}with: []\n`, /^E_SERIES: x\.yaml:4:7, with/],
    [
      `${HEAD}with: [18/pat-large, 18/pat-large]\n`,
      /^E_SERIES: x\.yaml:4:7, with: a name .* twice/,
    ],
    [`${HEAD}with: [18/pat-small]\n`, /^E_ALTERNATIVE: x\.yaml:4:8, with\[0\]: .*18\/pat-large/],
    [`${HEAD}without: [09/initrds]\n`, /^E_HUNK: x\.yaml:4:11, without\[0\]: .*09\/initrd/],
    [`${HEAD}without: [9.5]\n`, /^E_SERIES: x\.yaml:4:11, without\[0\]: expected .*, found 9\.5/],
    [`${HEAD}without: [19]\n`, /^E_HUNK: x\.yaml:4:11, without\[0\]: .*found 19/],
    [`${HEAD}without: [09, 9]\n`, /^E_SERIES: x\.yaml:4:10, without: a name is listed twice/],
    [`${HEAD}stub: true\n`, /^E_SERIES: x\.yaml:4:7, stub: stub needs without/],
    [`${HEAD}without: ['08']\n`, /^E_LEFT_OUT: x\.yaml/],
    [
      `${HEAD}without: [15/trampoline_64]\nwith: [15/before-paging]\n`,
      /^E_ALTERNATIVE: x\.yaml.*replaces 15\/trampoline_64, which/,
    ],
    [`${HEAD}stage: 8\nwith: [09/flush-tlb]\n`, /^E_MISSING_NEED: x\.yaml.*clear_mapping from 09/],
    [`name: X\ntitle: t\nsource: s\n`, /^E_SERIES: x\.yaml:1:7, name: lower-case/],
    [HEAD.replace('t\n', '[\n'), /^E_YAML: x\.yaml/],
  ])('%j is refused with its place', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('upTo', () => {
  const whole: HunkSelection = {
    stage: 18,
    activate: false,
    without: ['09/initrd', '12'],
    stub: true,
    with: ['09/flush-tlb', '14/own-structures', '18/pat-large'],
  };

  test.each([
    [18, whole],
    [14, { ...whole, stage: 14, with: ['09/flush-tlb', '14/own-structures'] }],
    [13, { ...whole, stage: 13, with: ['09/flush-tlb'] }],
    [9, { ...whole, stage: 9, without: ['09/initrd'], with: ['09/flush-tlb'] }],
    [8, { stage: 8, activate: false }],
  ])('stage %i restricts a hunk selection to its patches', (stage, expected) => {
    expect(upTo(whole, stage)).toEqual(expected);
  });

  test('retains alternatives to patch 18 if that is applied on top', () => {
    expect(upTo({ ...whole, activate: true }, 8).with).toEqual(['18/pat-large']);
  });

  test('compose refuses a duplicate alternative', () => {
    expect(() =>
      compose({ ...whole, without: [], with: ['18/pat-large', '18/pat-large'] }),
    ).toThrow(/^E_ALTERNATIVE: 18\/pat-large is given twice/);
  });
});
