/** Errors that only the machine of a scenario has, with their place in the file. */
import { describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { readYaml } from '../../src/base/yaml-source.js';
import { scenarioWith } from '../../src/scenario/settings.js';

const text = (more: object): string =>
  stringify({ name: 'x', title: 't', cmdline: 'a', ...more }, { lineWidth: 0 });
const machine = { cpu: 'zen-1', ram: '2GiB' };
const E820 = [
  { start: '0x0', end: '0x9ffff', type: 'usable' },
  { start: '0x100000', end: '0x7ffff123', type: 'usable' },
];

describe('an error of the machine', () => {
  test.each<[string, object, string, number]>([
    ['a cache', { machine: { ...machine, cache: { size: '3KiB' } } }, 'machine.cache', 8],
    [
      'a range of EFI within a page',
      { machine, firmware: { type: 'efi', e820: E820 } },
      'firmware.e820[1].end',
      14,
    ],
  ])('has its line: %s', (_what, more, path, line) => {
    const source = readYaml('x.yaml', text({ ...more }));
    let place: unknown;
    try {
      scenarioWith(source, []);
    } catch (error) {
      place = (error as { place?: unknown }).place;
    }
    expect(place).toMatchObject({ file: 'x.yaml', path, line });
  });

  test('has the file alone where an assignment made it', () => {
    const source = readYaml('x.yaml', text({ machine }));
    expect(() => scenarioWith(source, ['machine.cache.size=3KiB'])).toThrow(
      /^E_CACHE_GEOMETRY: x\.yaml, machine\.cache: /,
    );
  });
});
