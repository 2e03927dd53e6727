import { describe, expect, test } from '@jest/globals';
import { addedNames, type Hunk } from '../../src/kernel/hunk.js';
import type { Kernel } from '../../src/kernel/kernel.js';
import { BASE_VARIABLES, ENTRY_POINTS } from '../../src/linux/index.js';
import type { Variable } from '../../src/kernel/variables.js';
import { configOf, link } from '../../src/series/link.js';
import { allHunks, hunksOf, LAST_STAGE } from '../../src/series/patches.js';
import { compose } from '../../src/series/compose.js';
import { messageOf } from './message-of.js';

describe('the series', () => {
  test.each(Array.from({ length: LAST_STAGE + 1 }, (_, stage) => stage))(
    'stage %i links: each need is met by an earlier patch',
    (stage) => {
      const { hunks } = compose({ stage, activate: false });
      expect(link(hunks).hunks).toBe(hunks);
    },
  );

  test.each([6, 7, 8, 9, 10, 17])(
    'stage %i can be activated with the names that 18 needs',
    (stage) => {
      const ids = compose({ stage, activate: true }).hunks.map((hunk) => hunk.id);
      expect(ids).toContain('18/sme_enable');
      expect(ids).toContain('15/msr-index');
      expect(ids.some((id) => Number(id.slice(0, 2)) > stage && !/^1[58]/.test(id))).toBe(false);
      expect(() => link(compose({ stage, activate: true }).hunks)).not.toThrow();
    },
  );

  test('18 on stage 5 fails with E_MISSING_NEED, naming the missing name and its patch', () => {
    expect(messageOf(() => link(compose({ stage: 5, activate: true }).hunks))).toMatch(
      /^E_MISSING_NEED: 18\/sme_enable: 18 needs sme_enable from 06$/,
    );
  });

  test('08 without 07 fails with E_MISSING_NEED', () => {
    const hunks = [2, 3, 6, 8].flatMap((n) => [...hunksOf(n)]);
    expect(messageOf(() => link(hunks))).toMatch(/08 needs early_memremap_dec_wp from 07/);
  });

  test('no two hunks share an id, and no two add the same name', () => {
    const ids = allHunks().map((hunk) => hunk.id);
    expect(new Set(ids).size).toBe(ids.length);
    const names = allHunks().flatMap((hunk) => addedNames(hunk));
    const doubled = names.filter((name, i) => names.indexOf(name) !== i);
    // sme_me_mask is a variable and, in C, the macro that reads it.
    expect(doubled).toEqual(['sme_me_mask']);
  });

  test.each([-1, LAST_STAGE + 1, 2.5])('stage %p is refused with its code', (stage) => {
    expect(messageOf(() => compose({ stage, activate: false }))).toMatch(/^E_STAGE: stage/);
  });
});

/** A hunk with the properties that the linker reads, which are typed by the names of the real series. */
function hunk(id: string, parts: object = {}): Hunk {
  return { id, file: 'arch/x86/kernel/x.c', what: 'test', ...parts };
}
const file = (path: string, defs: object): object => ({ file: path, defs });
const variable = (name: string, size = 8): Variable => ({
  ...{ name, size, align: 8, section: '.data', file: 'x.c' },
});
/** Calls the linked body of a name; the bodies of these tests read no kernel. */
const call = (linked: ReturnType<typeof link>, name: string): unknown =>
  linked.table.get(name)?.body({} as Kernel);

describe('the base kernel', () => {
  const base = link([]);

  test('has entries that no hunk changed, and the variables of the base', () => {
    for (const entry of base.table.values()) {
      expect(Object.keys(entry).sort()).toEqual(['body', 'file', 'kind', 'name', 'quiet']);
    }
    expect(base.table.get('clear_bss')).toMatchObject({
      ...{ name: 'clear_bss', kind: 'fn', quiet: false, file: 'arch/x86/kernel/head64.c' },
    });
    expect(base.variables).toEqual(BASE_VARIABLES);
    expect([base.hunks, [...base.options]]).toEqual([[], []]);
  });

  test('places the entry points first, each once, then the functions of the table', () => {
    const entered = Object.keys(ENTRY_POINTS);
    const functions = [...base.table.values()].filter(({ kind }) => kind === 'fn');
    const others = functions.map(({ name }) => String(name)).filter((n) => !entered.includes(n));
    expect(base.baseFunctions).toEqual([...entered, ...others]);
    expect(new Set(base.baseFunctions).size).toBe(base.baseFunctions.length);
    // Labels and inline functions have no address.
    expect(base.table.get('startup_64:fixup')?.kind).toBe('label');
    expect(base.baseFunctions).not.toContain('startup_64:fixup');
  });

  test('knows the file of an entry point, and no size of its code', () => {
    expect(base.functions[0]).toEqual({ name: 'startup_64', file: 'arch/x86/kernel/head_64.S' });
    expect(base.functions.map(({ name }) => name)).toEqual(base.baseFunctions);
    expect(base.functions.find(({ name }) => name === 'clear_bss')).toEqual({ name: 'clear_bss' });
  });
});

describe('a hunk', () => {
  const adds = [
    file('arch/x86/kernel/new.c', {
      added: { kind: 'fn', body: () => 'added', quiet: true },
      sized: { kind: 'fn', body: () => 'sized', quiet: false, size: 240 },
      macro: { kind: 'inline', body: () => 'macro', quiet: true },
    }),
  ];

  test('adds names with its bodies, file and id', () => {
    const linked = link([hunk('07/new', { adds })]);
    expect(linked.table.get('added')).toMatchObject({
      ...{ name: 'added', kind: 'fn', quiet: true, file: 'arch/x86/kernel/new.c' },
      ...{ patch: 7, hunk: '07/new', hunks: ['07/new'] },
    });
    expect(call(linked, 'macro')).toBe('macro');
    expect(linked.table.get('clear_bss')).not.toHaveProperty('hunk');
  });

  test('adds its functions to the image after those of the base, with the sizes it gives', () => {
    const base = link([]).functions;
    const { functions, baseFunctions } = link([hunk('07/new', { adds })]);
    expect(functions).toEqual([...base, { name: 'added' }, { name: 'sized', size: 240 }]);
    expect(baseFunctions).toBe(link([]).baseFunctions);
  });

  test('does not add a function to the image twice, nor one that the base has', () => {
    const again = [
      file('arch/x86/kernel/new.c', {
        added: { kind: 'fn', body: () => 'again', quiet: true },
        clear_bss: { kind: 'fn', body: () => 'cleared', quiet: true },
      }),
    ];
    const linked = link([hunk('07/new', { adds }), hunk('08/again', { adds: again })]);
    expect(linked.functions.length).toBe(link([]).functions.length + 2);
    expect(call(linked, 'clear_bss')).toBe('cleared');
  });

  test('replaces a body, with the previous one to call; all hunks of a name are recorded in order', () => {
    const replaces = (text: string): object => ({
      clear_bss: (previous: (k: unknown) => unknown) => (k: unknown) =>
        `${text} ${String(text === 'first' ? 'base' : previous(k))}`,
    });
    const linked = link([
      hunk('03/one', { replaces: replaces('first') }),
      hunk('09/two', { replaces: replaces('second') }),
    ]);
    expect(call(linked, 'clear_bss')).toBe('second first base');
    expect(linked.table.get('clear_bss')).toMatchObject({
      ...{ kind: 'fn', file: 'arch/x86/kernel/head64.c' },
      ...{ patch: 9, hunk: '09/two', hunks: ['03/one', '09/two'] },
    });
    // The table of the base itself does not change.
    expect(link([]).table.get('clear_bss')).not.toHaveProperty('hunks');
  });

  test('replaces a body that an earlier hunk adds', () => {
    const replaces = { added: (previous: () => string) => () => `not ${previous()}` };
    const linked = link([hunk('07/new', { adds }), hunk('09/change', { replaces })]);
    expect(call(linked, 'added')).toBe('not added');
    expect(linked.table.get('added')?.hunks).toEqual(['07/new', '09/change']);
  });

  test('that replaces a name which nothing has fails with E_MISSING_NEED', () => {
    const replaces = { nowhere: () => () => undefined };
    expect(messageOf(() => link([hunk('09/change', { replaces })]))).toBe(
      'E_MISSING_NEED: 09/change: 09 needs nowhere',
    );
  });

  test.each([
    ['a function of the base', 'clear_bss', {}],
    ['a variable of the base', String(BASE_VARIABLES[0]?.name), {}],
    ['a function of another hunk', 'added', { adds }],
    ['a variable of another hunk', 'counter', { variables: [variable('counter')] }],
    ['a constant of another hunk', 'MSR_NEW', { names: ['MSR_NEW'] }],
  ])('may need %s, of a later hunk too', (_what, need, parts) => {
    const needs = hunk('05/needs', { needs: [need] });
    expect(() => link([needs, hunk('07/has', parts)])).not.toThrow();
    if (Object.keys(parts).length > 0) expect(() => link([needs])).toThrow(/E_MISSING_NEED/);
  });

  test('adds the options of the configuration that may be set', () => {
    const options = ['CONFIG_ONE', 'CONFIG_TWO'];
    const linked = link([hunk('02/kconfig', { options }), hunk('03/none')]);
    expect([...linked.options]).toEqual(options);
  });
});

describe('names that hunks place', () => {
  const placed = hunk('07/new', {
    adds: [file('x.c', { added: { kind: 'fn', body: () => 'added', quiet: true, size: 32 } })],
    variables: [variable('counter'), variable('table', 4096)],
  });

  test('have an address in the image whether the hunk is applied or not', () => {
    const without = link([], [placed]);
    const applied = link([placed]);
    expect(without.functions).toEqual(applied.functions);
    expect(without.functions.at(-1)).toEqual({ name: 'added', size: 32 });
    expect(without.variables).toEqual([...BASE_VARIABLES, ...(placed.variables ?? [])]);
    expect(applied.variables).toEqual(without.variables);
    expect([without.table.has('added'), applied.table.has('added')]).toEqual([false, true]);
  });

  test('a variable that two hunks place is placed once, as the later one has it', () => {
    const other = hunk('08/other', { variables: [variable('counter', 16)] });
    const added = link([], [placed, other]).variables.slice(BASE_VARIABLES.length);
    expect(added.map(({ name, size }) => [name, size])).toEqual([
      ['counter', 16],
      ['table', 4096],
    ]);
  });
});

describe('configOf', () => {
  const config = { CONFIG_AMD_MEM_ENCRYPT: true, CONFIG_EFI_MIXED: true };

  // Kconfig: an option that no file defines stays unset, whatever .config says.
  test('leaves out an option of the series that the kernel lacks, and no option of the base', () => {
    expect(configOf(config, link([]))).toEqual({ ...config, CONFIG_AMD_MEM_ENCRYPT: false });
    expect(configOf(config, link(hunksOf(2)))).toEqual(config);
  });

  test('does not set an option that the configuration has unset', () => {
    const unset = { CONFIG_AMD_MEM_ENCRYPT: false, CONFIG_EFI_MIXED: false };
    expect(configOf(unset, link(hunksOf(2)))).toEqual(unset);
  });
});
