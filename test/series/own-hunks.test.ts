import { describe, expect, test } from '@jest/globals';
import type { OwnHunk } from '../../src/kernel/hunk.js';
import { compose } from '../../src/series/compose.js';
import { link } from '../../src/series/link.js';
import { ownHunks } from '../../src/series/own-hunks.js';
import { inline, kernelFile } from '../../src/kernel/table.js';
import { messageOf } from './message-of.js';

const FORM = { file: 'arch/x86/kernel/setup.c', what: 'a form' };
const body = (): (() => undefined) => () => undefined;
const one = (parts: object): object[] => [{ id: '20/own', ...FORM, ...parts }];
const whole = { stage: 18, activate: false };

describe('own hunks', () => {
  test('are taken with every key, from a list and from a part of a patch', () => {
    const variable = { name: 'own_flag', size: 8, align: 8, section: '.data', file: 'a.c' };
    const given = one({
      instead: '09/initrd',
      source: 'our choice',
      replaces: { reserve_initrd: body },
      adds: [{ file: 'a.c', defs: { own_call: { kind: 'fn', body: () => 0 } } }],
      variables: [{ ...variable, init: () => Uint8Array.of(1), parts: { own_part: 4 } }],
      names: ['OWN'],
      options: ['CONFIG_AMD_MEM_ENCRYPT'],
      parameters: ['own'],
      needs: ['sme_me_mask', 'own_call', 'own_flag', 'OWN'],
      stub: [kernelFile('a.c', {})],
    });
    const [hunk] = ownHunks(given);
    expect(Object.keys(hunk ?? {}).sort()).toEqual(Object.keys(given[0] ?? {}).sort());
    expect(hunk?.adds?.[0]?.defs).toEqual({
      own_call: { kind: 'fn', body: expect.any(Function), quiet: false },
    });
    const part = { patch: 20, part: 1, hunks: given };
    expect(ownHunks(part).map(({ id }) => id)).toEqual(['20/own']);
  });

  test.each<[what: string, given: unknown, message: RegExp]>([
    [
      'nothing',
      undefined,
      /^E_OWN_HUNK: hunks: expected a list of hunks, or a part .*, found undefined$/,
    ],
    ['an empty list', [], /hunks: expected at least one hunk, found none/],
    ['a text', 'x', /found a string/],
    ['a list of a list', [[]], /hunks\[0\]: expected an object, found a list/],
    [
      'an unknown key',
      one({ replace: {} }),
      /hunks\[0\]\.replace: unknown key; .*did you mean replaces\?/,
    ],
    ['no id', [{ ...FORM }], /hunks\[0\]\.id: expected a text, found undefined/],
    [
      'an id without a number',
      [{ ...FORM, id: 'initrd' }],
      /\.id: expected NN\/name: .*found "initrd"/,
    ],
    ['a patch number of 0', [{ ...FORM, id: '00/x' }], /\.id: expected NN\/name/],
    [
      'an id of an alternative',
      [{ ...FORM, id: '15/before-paging' }],
      /is an alternative of sme-boot/,
    ],
    [
      'an id given twice',
      [...one({}), ...one({})],
      /hunks: two own hunks have one id.*found 20\/own/,
    ],
    ['a text of two lines', one({ what: 'a\nb' }), /\.what: expected a text of one line/],
    [
      'control characters',
      one({ file: '\u001b[2J' }),
      /\.file: expected a text of one line, found "\\u001b/,
    ],
    [
      'a misspelt name to replace',
      one({ replaces: { reserve_initd: body } }),
      /\.replaces: neither the kernel nor any patch has this name to replace; found "reserve_initd"; did you mean reserve_initrd\?/,
    ],
    ['nothing to replace', one({ replaces: {} }), /\.replaces: expected at least one name/],
    [
      'a name of every object',
      one({ replaces: { constructor: body } }),
      /has this name to replace; found "constructor"/,
    ],
    [
      'a replacement that is no function',
      one({ replaces: { reserve_initrd: 1 } }),
      /\.replaces\.reserve_initrd: expected a function.*found a number/,
    ],
    [
      'an asynchronous replacement',
      one({ replaces: { reserve_initrd: async () => Promise.resolve() } }),
      /\.reserve_initrd: kernel code is synchronous; .*found AsyncFunction/,
    ],
    ['a misspelt need', one({ needs: ['sme_me_mas'] }), /\.needs: .*did you mean sme_me_mask\?/],
    [
      'an option that no hunk has',
      one({ options: ['CONFIG_AMD_MEM_ENCRYP'] }),
      /\.options: .*did you mean CONFIG_AMD_MEM_ENCRYPT\?/,
    ],
    [
      'an unknown hunk to replace',
      one({ instead: '09/initd' }),
      /\.instead: there is no such hunk.*did you mean 09\/initrd\?/,
    ],
    [
      'a posted id that replaces another',
      [{ ...FORM, id: '09/initrd', instead: '09/bootdata' }],
      /\.instead: 09\/initrd is the id of a posted hunk/,
    ],
    [
      'a name of the base that it adds',
      one({ adds: [{ file: 'a.c', defs: { reserve_initrd: { kind: 'fn', body } } }] }),
      /\.adds: the base kernel has reserve_initrd already/,
    ],
    [
      'a body that is none',
      one({ adds: [{ file: 'a.c', defs: { own: { kind: 'fn' } } }] }),
      /\.adds\[0\]\.defs\.own\.body: expected a function/,
    ],
    [
      'an unknown kind of body',
      one({ adds: [{ file: 'a.c', defs: { own: { kind: 'func', body } } }] }),
      /\.own\.kind: expected fn, inline, label, found "func"/,
    ],
    [
      'a size of 0',
      one({ adds: [{ file: 'a.c', defs: { own: { kind: 'fn', body, size: 0 } } }] }),
      /\.own\.size: expected bytes, 1 to/,
    ],
    [
      'a variable without a section',
      one({ variables: [{ name: 'v', size: 1, align: 1, file: 'a' }] }),
      /\.variables\[0\]\.section: expected/,
    ],
    [
      'an alignment of 3',
      one({ variables: [{ name: 'v', size: 1, align: 3, file: 'a', section: '.bss' }] }),
      /\.align: expected a power of two, found 3/,
    ],
    [
      'a variable beyond the bound',
      one({ variables: [{ name: 'v', size: 2 ** 40, align: 1, file: 'a', section: '.bss' }] }),
      /\.size: expected bytes, 1 to/,
    ],
    [
      'a part of another patch',
      { patch: 9, hunks: one({}) },
      /hunks\.hunks\[0\]\.id: expected a hunk of patch 9, found 20\/own/,
    ],
    [
      'a part without a number',
      { hunks: one({}) },
      /hunks\.patch: expected the number of the patch/,
    ],
    [
      'alternatives of a part',
      { patch: 20, hunks: one({}), alternatives: [] },
      /\.alternatives: alternatives are not applied/,
    ],
  ])('with %s are refused', (_what, given, message) => {
    expect(messageOf(() => ownHunks(given))).toMatch(message);
  });

  test.each(['name', 'size', 'align', 'section', 'file'])(
    'with a variable without its %s are refused at that key',
    (key) => {
      const variable = { name: 'v', size: 1, align: 1, section: '.bss', file: 'a.c' };
      const given = one({ variables: [{ ...variable, [key]: undefined }] });
      const message = messageOf(() => ownHunks(given));
      expect(message).toContain(`hunks[0].variables[0].${key}: expected `);
    },
  );

  test('whose module has a name are refused with it', () => {
    expect(messageOf(() => ownHunks([], { file: 'own.mjs' }, 'default'))).toBe(
      'E_OWN_HUNK: own.mjs, default: expected at least one hunk, found none',
    );
  });
});

describe('a replacement, when the kernel is linked,', () => {
  const linked = (make: unknown): string => {
    const extra = ownHunks(one({ replaces: { reserve_initrd: make } }));
    return messageOf(() => link(compose({ ...whole, extra }).hunks));
  };

  test.each<[what: string, make: unknown, message: RegExp]>([
    [
      'gives no function',
      () => 0,
      /reserve_initrd: expected \(previous\) => .*found no function but a number/,
    ],
    [
      'is the body itself',
      (k: { readU8: (at: number) => number }) => k.readU8(0),
      /it threw before it gave a body: TypeError/,
    ],
    [
      'gives an asynchronous body',
      () => async () => Promise.resolve(),
      /kernel code is synchronous/,
    ],
  ])('is refused if it %s', (_what, make, message) => {
    expect(linked(make)).toMatch(message);
  });

  test('of a variable has bytes that fit', () => {
    const v = { name: 'own', size: 2, align: 1, file: 'a', section: '.data' };
    const of = (init: unknown): OwnHunk | undefined =>
      ownHunks(one({ variables: [{ ...v, init }] }))[0];
    const init = (make: unknown): string =>
      messageOf(() => of(make)?.variables?.[0]?.init?.({ link: () => 0 as never }));
    expect(init(() => new Uint8Array(3))).toMatch(
      /init: expected a Uint8Array of at most 2 bytes, found 3 bytes/,
    );
    expect(init(() => 'x')).toMatch(/found a string/);
    expect(
      init(() => {
        throw new RangeError('no');
      }),
    ).toMatch(/init: it threw: RangeError: no/);
  });
});

test('names that own hunks add can be replaced and needed by others of them', () => {
  const defs = { own_call: inline(() => 1) };
  const extra = ownHunks([
    { id: '20/a', ...FORM, adds: [{ file: 'a.c', defs }] },
    { id: '20/b', ...FORM, needs: ['own_call'], replaces: { own_call: () => () => 2 } },
  ]);
  const { table } = link(compose({ ...whole, extra }).hunks);
  expect(table.get('own_call')).toMatchObject({ patch: 20, hunk: '20/b', hunks: ['20/a', '20/b'] });
});
