/** Names of Object.prototype as input: in every place where input is looked up by name. */
import { describe, expect, test } from '@jest/globals';
import { own, ownOf } from '../../src/base/own.js';
import { predicateOf } from '../../src/analysis/bisect/predicate.js';
import { readExpectation } from '../../src/check/expectation.js';
import { matchRecord, valuePattern } from '../../src/check/pattern.js';
import { InputError } from '../../src/base/errors.js';
import { parsePlace } from '../../src/inspect/place.js';
import { setPath } from '../../src/scenario/scenario.js';
import { parseDmesg } from '../../src/scenario/dmesg.js';
import { boot, scenario } from '../helpers.js';
import { refusal } from '../trace/helpers.js';

const NAMES = Object.getOwnPropertyNames(Object.prototype);

test('own() finds own properties only', () => {
  expect(NAMES).toContain('constructor');
  for (const name of NAMES) {
    expect(own({}, name)).toBeUndefined();
    expect(ownOf({}, name)).toBeUndefined();
    expect(own(JSON.parse(`{"${name}": 1}`) as Record<string, number>, name)).toBe(1);
  }
  expect(ownOf(null, 'a')).toBeUndefined();
  expect(ownOf('text', 'length')).toBeUndefined();
});

describe.each(NAMES)('%s as a name in input', (name) => {
  test('is no reader of an expression, no key of a scenario, no field of an event', () => {
    expect(refusal(() => predicateOf(`${name}=1`)).code).toBe('E_USAGE');
    expect(refusal(() => scenario('bios-minimal', `machine.${name}.${name}=1`)).code).toBe(
      'E_UNKNOWN_KEY',
    );
    expect(setPath({}, `${name}=1`)).toEqual(JSON.parse(`{"${name}": 1}`));
    const literal = valuePattern('x');
    if (typeof literal === 'string') throw new Error(literal);
    const pattern = Object.fromEntries([[name, literal]]);
    expect(matchRecord(pattern, {}, new Map())).toBeUndefined();
    const text = `expect: match\nrun: {scenario: bios-minimal}\nmatch: [{${name}: {}}]`;
    expect(() => readExpectation('m.yaml', text)).toThrow(InputError);
  });

  test('is a word of a log like any other', () => {
    const map = 'BIOS-e820: [mem 0x0-0x9fbff] usable\nBIOS-e820: [mem 0x100000-0x7fffffff] ';
    const facts = parseDmesg(`${map}usable\nefi: mem00: [${name}|   ] range=[0x0-0xfff]`);
    expect(facts.e820).toHaveLength(2);
    const odd = parseDmesg(`${map}${name}`);
    expect(odd.e820.map(({ type }) => type)).not.toContain(undefined);
  });
});

test('a name of Object.prototype is no symbol, and no value of an option', () => {
  const each = boot({ scenario: scenario('bios-minimal'), stage: 0 });
  for (const name of NAMES) {
    expect(refusal(() => parsePlace(each, name, 'va')).found).toContain(name);
  }
  const words = NAMES.flatMap((name) => [`${name}=${name}`, `acpi=${name}`, `iommu=${name}`, name]);
  const settings = [`cmdline=${words.join(' ')}`];
  const run = boot({ scenario: scenario('bios-minimal', ...settings), stage: 0 }).run();
  expect(run.outcome.kind).toBe('booted');
});
