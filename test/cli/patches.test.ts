/** `sme-boot patches`: the card of a patch on a terminal, in a mail, as Markdown and JSON, and its links. */
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_LINKS } from '../../src/cli/links.js';
import { patchCards, type PatchCard } from '../../src/cli/patch-card.js';
import { patchRecords } from '../../src/cli/records.js';
import { allHunks } from '../../src/series/patches.js';
import { sme } from './io.js';
import { firstOf } from '../cases.js';

const records = patchRecords('.');
const cards = patchCards(DEFAULT_LINKS, undefined, '.');
const card = (number: number): PatchCard => {
  const found = cards[number - 1];
  if (found === undefined) throw new Error(`no patch ${String(number)}`);
  return found;
};

/** Lines that are too long, but for links, which are whole. */
const wide = (out: string, columns: number): string[] =>
  out.split('\n').filter((line) => line.length > columns && !/^(?:Link: | +)https:\S+$/.test(line));
/** A text as one line of words, with continued commands joined. */
const flowed = (out: string): string => out.replaceAll(/ \\\n +|\s+/g, ' ');

describe('the card of a patch', () => {
  test.each(
    firstOf(
      2,
      records.map(({ number, subject }) => ({ number, subject })),
    ),
  )(
    '$number fits 76 columns in a pipe, 60 on a terminal, and 72 in a mail',
    async ({ number, subject }) => {
      const argv = ['patches', String(number)];
      const [pipe, terminal, mail] = await Promise.all([
        sme(argv),
        sme(argv, { NO_COLOR: '1' }, true),
        sme([...argv, '--format', 'mail']),
      ]);
      expect([wide(pipe.out, 76), wide(terminal.out, 60), wide(mail.out, 72)]).toEqual([
        [],
        [],
        [],
      ]);
      for (const { out } of [pipe, terminal, mail]) expect(flowed(out)).toContain(subject);
      expect((await sme(argv, { COLUMNS: '76' })).out).toBe(pipe.out);
    },
  );

  test('has its hunks with what they do, how the boot without each ends, and the command', async () => {
    const text = flowed((await sme(['patches', '9'])).out);
    expect(text).toContain(
      '09/initrd the initrd is encrypted in place before the check whether it must be relocated ' +
        'arch/x86/kernel/setup.c: reserve_initrd ' +
        'https://elixir.bootlin.com/linux/v4.6/A/ident/reserve_initrd ' +
        'without it: panic in start_kernel: VFS: Unable to mount root fs on unknown-block(0,0); garbage: initrd ' +
        'unpack_to_rootfs reads initrd with C=1; firmware or loader wrote it with C=0 ' +
        'sme-boot run epyc-efi --without 09/initrd',
    );
    expect(text).toContain('arch/x86/kernel/head64.c +88 -5');
    expect(text).toContain('sme_early_mem_enc (08)');
  });

  test('has the effects, findings and alternatives, each with its command', async () => {
    const text = flowed((await sme(['patches', '9'])).out);
    expect(text).toContain(
      'ends: panic in early_fixup_exception → booted intact, garbage before: boot params, command line',
    );
    expect(text).toContain('sme-boot effects 9 --view without');
    expect(text).toContain('(v2 present, 4.14 fixed, 6.1 fixed) c-bit-below-46');
    expect(text).toContain('sme-boot findings --patch 9');
    expect(text).toContain('--with 09/flush-tlb: clear_mapping() reloads CR3');
  });

  // traces/without/ has a row for each hunk, and `sme-boot check` runs them.
  test('has the boot without each hunk of the series', () => {
    const all = cards.flatMap(({ hunks }) => hunks);
    expect(all.map(({ id }) => id)).toEqual(allHunks().map(({ id }) => id));
    expect(all.filter(({ without }) => without === undefined)).toEqual([]);
    expect(all.filter(({ without }) => without?.cause === '')).toEqual([]);
  });

  test('and what that command prints is what the card says', async () => {
    const { without } = card(12).hunks[0] ?? {};
    const { out } = await sme((without?.command ?? '').split(' ').slice(1));
    expect(out).toMatch(/^booted: /m);
    expect([without?.outcome, without?.garbage]).toEqual(['booted in run_init', ['device tree']]);
    expect(out).toMatch(/^ +device tree +garbage from byte 0, read by x86_flattree_get_config$/m);
  });

  test('has an effect of every patch: the most telling view, and why if there is none', () => {
    const empty = cards.filter(({ effects }) => effects.some(({ lines }) => lines.length === 0));
    expect(empty).toEqual([]);
    expect(cards.map(({ effects }) => effects[0]?.view)).toContain('without');
    expect(card(13).effects.map(({ scenario }) => scenario)).toEqual(['epyc-efi', 'no-iommu']);
    expect(card(17).effects[0]?.view).toBe('probes');
    const hidden = cards.flatMap(({ effects }) => effects).filter(({ view }) => view === undefined);
    expect(hidden.filter(({ lines }) => !/^shows in no view: /.test(lines[0] ?? ''))).toEqual([]);
  });
});

describe('the links', () => {
  test('lead to the posting, or to the one that was read in its place', () => {
    expect(card(18).posting).toBe(
      'https://lore.kernel.org/r/20160426225904.13567.538.stgit@tlendack-t1.amdoffice.net',
    );
    expect(card(9).posting).toContain('20160822223722.29880.94331.stgit');
  });

  test('of names that the series adds lead to the release that has them, by the name of then', () => {
    const links = (number: number): Record<string, string | undefined> =>
      Object.fromEntries(
        card(number).hunks.flatMap(({ names }) => names.map(({ name, link }) => [name, link])),
      );
    const ident = (release: string, name: string): string =>
      `https://elixir.bootlin.com/linux/${release}/A/ident/${name}`;
    expect(links(9)).toMatchObject({
      copy_bootdata: ident('v4.6', 'copy_bootdata'),
      create_unencrypted_mapping: ident('v4.14', '__sme_early_map_unmap_mem'),
      sme_memcpy: undefined,
    });
    expect(links(18)['.Lencrypt_start']).toBeUndefined();
  });

  test('of files lead to the base kernel, or to where a new file has gone', () => {
    const links = Object.fromEntries(card(6).files.map(({ path, link }) => [path, link]));
    const source = 'https://elixir.bootlin.com/linux';
    expect(links['arch/x86/kernel/head64.c']).toBe(
      `${source}/v4.6/source/arch/x86/kernel/head64.c`,
    );
    expect(links['arch/x86/kernel/mem_encrypt.S']).toBe(
      `${source}/v4.14/source/arch/x86/mm/mem_encrypt_boot.S`,
    );
  });

  test('are those of --links; an empty template makes none', async () => {
    const own = 'lore=https://example.org/m/{messageId},source=https://example.org/{file},ident=';
    const { out } = await sme(['patches', '12', '--links', own]);
    expect(out).toContain('  https://example.org/m/20160426225800.13567.99120.stgit@');
    expect(out).toContain('\n  https://example.org/arch/x86/kernel/devicetree.c\n');
    const none = await sme(['patches', '12', '--links', 'lore=,source=', '--links', 'ident=']);
    expect(none.out).not.toContain('http');
  });

  test('are refused where there are none, and if they are none', async () => {
    const list = await sme(['patches', '--links', 'lore=']);
    expect([list.status, list.err]).toEqual([
      2,
      expect.stringMatching(/E_USAGE.*no links.*--links/),
    ]);
    const wrong = await sme(['patches', '9', '--links', 'lore=ftp://a/{messageId}']);
    expect([wrong.status, wrong.err]).toEqual([2, expect.stringContaining('E_LINKS')]);
  });
});

describe('the formats', () => {
  test('a mail is ASCII, with a line "Link: " for each link', async () => {
    const { out } = await sme(['patches', '13', '--format', 'mail']);
    expect(out).toMatch(/^[\n -~]+$/);
    expect(out.match(/https:/g)).toEqual(out.match(/(?<=^Link: )https:/gm));
    expect(out.match(/^Link: /gm)?.length).toBeGreaterThan(10);
  });

  test('Markdown has each name with its link', async () => {
    const { out } = await sme(['patches', '9', '--format', 'markdown']);
    expect(out).toMatch(/^# 09 x86: Insure that memory areas are encrypted when possible\n/);
    expect(out).toContain(
      '[`clear_mapping`](https://elixir.bootlin.com/linux/v4.14/A/ident/__sme_early_map_unmap_mem)',
    );
    expect(out).toContain('```sh\nsme-boot run epyc-efi --without 09/bootdata\n```');
  });

  test('JSON has the record and the card, of one patch or of all', async () => {
    const one = JSON.parse((await sme(['patches', '9', '--format', 'json'])).out) as unknown[];
    expect(one).toHaveLength(1);
    expect(one[0]).toMatchObject({
      number: 9,
      files: [{ path: 'arch/x86/kernel/head64.c', added: 88, removed: 5 }, {}],
      hunks: [{ id: '09/bootdata', without: { scenario: 'epyc-efi' } }, { id: '09/initrd' }],
      effects: [{ view: 'without' }],
    });
    const { alternatives: ids = [] } = one[0] as { alternatives?: { id: string }[] };
    expect(ids.map(({ id }) => id)).toEqual(card(9).alternatives.map(({ id }) => id));
    const all = JSON.parse((await sme(['patches', '--format', 'json'])).out) as unknown[];
    expect(all).toHaveLength(records.length);
    expect(all[8]).toEqual(one[0]);
  });
});
