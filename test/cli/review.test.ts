/** `sme-boot review`: its formats, exit statuses and errors. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { madeTree } from '../review/made-tree.js';
import { sme } from './io.js';
import { exhaustiveTest } from '../cases.js';

let dir = '';
/** A tree with the series as posted, and one of 6.1 with a wrong constant. */
let applied = '';
let wrong = '';

function write(name: string, version: string, texts: ReadonlyMap<string, string>): string {
  const root = join(dir, name);
  const [major = '', minor = ''] = version.split('.');
  const makefile = `VERSION = ${major}\nPATCHLEVEL = ${minor}\nSUBLEVEL = 3\n`;
  for (const [path, text] of [...texts, ['Makefile', makefile] as const]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-review-'));
  applied = write('applied', '4.6', madeTree('4.6', true));
  const texts = madeTree('6.1');
  const path = 'arch/x86/include/asm/msr-index.h';
  texts.set(path, (texts.get(path) ?? '').replace(/_BIT 23\b/, '_BIT 24'));
  wrong = write('wrong', '6.1', texts);
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const RECORD = 'patches/0015-enable-memory-encryption-on-the-aps.yaml';

test('a tree that agrees: a table of counts, exit status 0', async () => {
  const { out, status } = await sme(['review', '--tree', applied]);
  expect(status).toBe(0);
  expect(out).toMatch(/^Linux 4\.6\.3\nIt has patches 1, 2, .*, 18 as they were posted\.\n/);
  expect(out).toMatch(/^18 +\d+ +x86: Add support to turn on Secure Memory Encryption$/m);
  expect(out).toMatch(/\d+ claims: .*; none failed\n$/);
});

test('releases before the base kernel are refused, those after the records are told', async () => {
  const old = write('old', '4.5', new Map());
  const tree = await sme(['review', '--tree', old]);
  expect([tree.status, tree.out]).toEqual([2, '']);
  expect(tree.err).toMatch(/E_TREE: .*Makefile: expected a release from 4\.6 on, found 4\.5\.3\n$/);
  for (const release of ['2.6', '4.5']) {
    const { status, err } = await sme(['review', '--files', release]);
    expect([status, err]).toEqual([
      2,
      expect.stringMatching(/E_USAGE: review --files: .* 4\.6 on/),
    ]);
  }
  const later = await sme(['review', '--files', '99.9']);
  expect(later.status).toBe(0);
  const [, latest = ''] = /^The records end at (\d+\.\d+): .*\n$/.exec(later.err) ?? [];
  expect(await sme(['review', '--files', latest])).toEqual({ ...later, err: '' });
  const far = await sme(['review', '--tree', write('far', '99.9', madeTree(latest))]);
  expect(far.out).toContain(`\nThe records end at ${latest}: `);
  expect(far.status).toBe(0);
});

test('--all lists every claim with its line', async () => {
  const { out } = await sme(['review', '--tree', applied, '--all']);
  expect(out).toMatch(/^03 sme_me_mask: agrees at arch\/x86\/kernel\/mem_encrypt\.S:\d+$/m);
});

test('a tree that differs: the claim, both values and both places, exit status 1', async () => {
  const { out, status } = await sme(['review', '--tree', wrong]);
  expect(status).toBe(1);
  expect(out).toMatch(
    /15 MSR_K8_SYSCFG_MEM_ENCRYPT_BIT: differs; expected 0x17; found 0x18 at arch\/x86\/include\/asm\/msr-index\.h:\d+\n {4}patches\/0015-.*\.yaml:\d+\n/,
  );
});

describe('the formats', () => {
  test('json', async () => {
    const { out, status } = await sme(['review', '--tree', wrong, '--format', 'json']);
    const report = JSON.parse(out) as {
      ok: boolean;
      counts: Record<string, number>;
      rows: { claim: string; state: string; record: { file: string; line?: number } }[];
    };
    expect([status, report.ok, report.counts.differs]).toEqual([1, false, 1]);
    const [row] = report.rows.filter(({ state }) => state === 'differs');
    expect(row?.record.file).toBe(RECORD);
    const line = readFileSync(RECORD, 'utf8').split('\n')[(row?.record.line ?? 0) - 1];
    expect(line).toContain('MSR_K8_SYSCFG_MEM_ENCRYPT_BIT');
  });

  test('sarif: each result is at the record, and the kernel line is related', async () => {
    const { out } = await sme(['review', '--tree', wrong, '--format', 'sarif']);
    const log = JSON.parse(out) as {
      version: string;
      runs: {
        results: {
          kind: string;
          level: string;
          ruleId: string;
          locations: { physicalLocation: { artifactLocation: { uri: string } } }[];
          relatedLocations?: {
            physicalLocation: { artifactLocation: { uri: string; uriBaseId?: string } };
          }[];
        }[];
        originalUriBaseIds: Record<string, unknown>;
        tool: { driver: { rules: { id: string }[] } };
      }[];
    };
    expect(log.version).toBe('2.1.0');
    const [run] = log.runs;
    const ids = run?.tool.driver.rules.map(({ id }) => id) ?? [];
    for (const { ruleId } of run?.results ?? []) expect(ids).toContain(ruleId);
    const fails = run?.results.filter(({ kind }) => kind === 'fail') ?? [];
    expect(fails.map(({ level, ruleId }) => [level, ruleId])).toEqual([['error', 'value']]);
    expect(fails[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(RECORD);
    const related = fails[0]?.relatedLocations?.[0]?.physicalLocation.artifactLocation;
    expect(related).toEqual({ uri: 'arch/x86/include/asm/msr-index.h', uriBaseId: 'KERNEL' });
    expect(run?.originalUriBaseIds).toHaveProperty('KERNEL');
  });

  test('github', async () => {
    const { out } = await sme(['review', '--tree', wrong, '--format', 'github']);
    expect(out).toMatch(
      /^::error file=patches\/0015-[^,]+,line=\d+,title=MSR_K8_SYSCFG_MEM_ENCRYPT_BIT%3A differs::/,
    );
    expect(out.split('\n').filter((line) => line.startsWith('::'))).toHaveLength(1);
  });

  exhaustiveTest(
    'html by the name of the output: claims with lines of the tree and of a trace',
    async () => {
      const file = join(dir, 'review.html');
      const { out, status } = await sme(['review', '--tree', applied, '--output', file]);
      expect([status, out]).toEqual([0, '']);
      const page = readFileSync(file, 'utf8');
      expect(page).toMatch(/<pre class="source">.*sme_enable/s);
      expect(page).toContain('in the trace traces/epyc-efi/stage-18.yaml');
      expect(page).not.toMatch(/<script|https?:/);
    },
  );
});

test('--trace: the functions of a trace at their lines of the tree', async () => {
  const trace = 'traces/bios-minimal/stage-18.yaml';
  const { out, status } = await sme(['review', '--tree', applied, '--trace', trace]);
  expect(status).toBe(0);
  expect(out).toContain(`the functions of ${trace}`);
  expect(out).toMatch(
    /^06 sme_enable: agrees; \d+ events?, first in startup_64.* at arch\/x86\/kernel\/mem_encrypt\.S:\d+$/m,
  );
  expect(out).toMatch(/^base unpack_to_rootfs: agrees; .* at init\/initramfs\.c:\d+$/m);
});

describe('is refused, with exit status 2', () => {
  test.each([
    ['no tree', [], /E_USAGE: review.*expected --tree DIR/],
    ['a folder that is no tree', ['--tree', 'docs'], /E_TREE: docs\/Makefile/],
    ['a trace that is not there', ['--tree', '.', '--trace', 'none.yaml'], /E_READ: none\.yaml/],
    ['a format that is none', ['--tree', '.', '--format', 'pdf'], /--format/],
  ])('%s', async (_name, words, message) => {
    const { err, status } = await sme(['review', ...words]);
    expect([status, message.test(err) ? message.source : err]).toEqual([2, message.source]);
  });
});

test('text of a tree is escaped: control characters and markup in a hostile file', async () => {
  const texts = madeTree('4.6', true);
  const path = 'arch/x86/kernel/mem_encrypt.S';
  const hostile = '/* <script>alert(1)</script> \u001b[31m */';
  texts.set(path, (texts.get(path) ?? '').replace(/^sme_enable:/m, `${hostile}\nsme_enable:`));
  const tree = write('hostile', '4.6', texts);
  const { out } = await sme(['review', '--tree', tree, '--format', 'html']);
  expect(out).not.toMatch(/<script/);
  expect(out).not.toContain('\u001b');
  expect(out).toContain('&lt;script&gt;alert(1)');
});
