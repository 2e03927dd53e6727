/** The records against trees made from them, and against such trees with one change. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Parser } from 'web-tree-sitter';
import { cParser } from '../../src/node/c-parser.js';
import { isFailed, type Row } from '../../src/review/result.js';
import { madeTree, records, reviewTexts } from './made-tree.js';

let parser: Parser;
beforeAll(async () => {
  parser = await cParser();
});

const failed = (rows: readonly Row[]): Row[] => rows.filter(isFailed);

describe('a tree made from the records', () => {
  test.each([
    ['before the series', '4.6', false],
    ['with the series as posted', '4.6', true],
    ['of the merge', '4.14', false],
    ['of 6.1', '6.1', false],
  ])('%s agrees', (_name, release, applied) => {
    const done = reviewTexts(release, madeTree(release, applied), parser);
    expect(failed(done.rows)).toEqual([]);
    expect(done.applied.length).toBe(applied ? 18 : 0);
  });
});

describe('one change in a tree', () => {
  /** The rows that fail after `edit` of one file of a tree, as `patch about claim: state`. */
  function after(
    release: string,
    path: string,
    edit: (text: string) => string | undefined,
  ): string[] {
    const texts = madeTree(release, release === '4.6');
    const text = texts.get(path) ?? '';
    const edited = edit(text);
    expect(edited).not.toBe(text);
    if (edited === undefined) texts.delete(path);
    else texts.set(path, edited);
    return failed(reviewTexts(release, texts, parser).rows).map(
      ({ patch, about, claim, state }) => `${patch ?? 'base'} ${about} ${claim}: ${state}`,
    );
  }
  const swap = (text: string, a: string, b: string): string =>
    text.replaceAll(new RegExp(`\\b(?:${a}|${b})\\b`, 'g'), (word) => (word === a ? b : a));

  test('a changed constant', () => {
    expect(
      after('4.6', 'arch/x86/include/asm/msr-index.h', (text) =>
        text.replace(/_BIT 23\b/, '_BIT 24'),
      ),
    ).toEqual(['15 value MSR_K8_SYSCFG_MEM_ENCRYPT_BIT: differs']);
  });

  test('a moved call', () => {
    const claims = records.find(({ record }) => record.number === 6)?.record.order ?? [];
    const claim = claims.find(({ in: name }) => name === 'startup_64');
    expect(claim).toBeDefined();
    const { first, then } = claim ?? { first: '', then: '' };
    expect(after('4.6', 'arch/x86/kernel/head_64.S', (text) => swap(text, first, then))).toContain(
      `6 order startup_64: ${first} before ${then}: differs`,
    );
  });

  test('a call that is dropped', () => {
    const path = 'arch/x86/realmode/init.c';
    expect(after('4.6', path, (text) => text.replaceAll(/^\tsme_set_mem_dec;\n/gm, ''))).toEqual(
      expect.arrayContaining([expect.stringMatching(/^11 order .*: missing$/)]),
    );
  });

  test('a change of a patch that adds no name', () => {
    const path = 'arch/x86/kernel/devicetree.c';
    expect(
      after('4.6', path, (text) => text.replace('sme_early_memremap', 'early_memremap')),
    ).toEqual(['12 value x86_flattree_get_config: differs']);
  });

  test('a renamed function', () => {
    const path = 'arch/x86/mm/mem_encrypt.c';
    expect(
      after('4.6', path, (text) => text.replaceAll(/\bsme_early_init\(/g, 'sme_late_init(')),
    ).toEqual(['6 name sme_early_init: missing']);
  });

  test('a function of the base kernel that is renamed', () => {
    expect(
      after('6.1', 'arch/x86/kernel/setup.c', (text) => text.replaceAll('reserve_initrd(', 'x(')),
    ).toEqual(expect.arrayContaining(['base model reserve_initrd: missing']));
  });

  test('a dropped file of the base kernel', () => {
    const found = after('4.6', 'init/do_mounts.c', () => undefined);
    expect(found).toContain('base model init/do_mounts.c: missing');
    expect(found).toContain('base model prepare_namespace: missing');
  });

  test('a dropped file', () => {
    const found = after('4.6', 'arch/x86/kernel/mem_encrypt.S', () => undefined);
    expect(found).toContain('6 name sme_enable: missing');
    expect(found.every((row) => /missing$/.test(row))).toBe(true);
  });

  test('something recorded as gone that is there', () => {
    const text = 'unsigned long swiotlb_get_me_mask(void)\n{\n\treturn 0;\n}\n';
    expect(after('6.1', 'arch/x86/mm/mem_encrypt.c', (before) => before + text)).toEqual([
      '13 name swiotlb_get_me_mask: differs',
    ]);
  });

  test('a macro that lacks a name', () => {
    const path = 'arch/x86/include/asm/pgtable_types.h';
    expect(
      after('4.6', path, (text) => text.replace(/(#define PAGE_KERNEL_RO .*) \| _PAGE_ENC/, '$1')),
    ).toEqual(['6 value PAGE_KERNEL_RO: differs']);
  });
});
