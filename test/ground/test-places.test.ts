/** Paths of test files: test/ mirrors src/; exceptions are listed here with the files that they cover. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { testFiles } from '../../scripts/test-groups.mjs';

/** Folders without a counterpart in src/: tests of the whole program, and of the project. */
const FOLDERS: Readonly<Record<string, string>> = {
  browser: 'the pages in Chromium',
  docs: 'the pages under docs/ and the schemas',
  fuzz: 'mutated inputs of each kind',
  ground: 'the lint rules, the scripts and the import directions',
  guards: 'code that the compiler must refuse',
  live: 'readers and writers of archives compared with the tools of other projects',
  package: 'the packed project, installed',
  real: 'whole boots of real kernel images',
  stages: 'whole boots at every stage, scenario and label',
};

/** Suites that cover one aspect of several files of src/, by path below test/ without `.test.ts`. */
const SEVERAL: Readonly<Record<string, readonly string[]>> = {
  'analysis/matrix/own-hunk': ['analysis/matrix/matrix.ts', 'analysis/matrix/cause.ts'],
  'analysis/matrix/row-reports': ['analysis/matrix/matrix.ts', 'sanitizer/rules.ts'],
  'check/reports': [
    'check/report-words.ts',
    'check/reports-github.ts',
    'check/reports-junit.ts',
    'check/reports-sarif.ts',
  ],
  'cli/check-jobs': ['cli/check-boots.ts', 'cli/check-worker.ts', 'cli/jobs.ts'],
  'cli/check-reports': ['cli/check.ts', 'cli/check-ask.ts', 'cli/check-plan.ts', 'cli/obsolete.ts'],
  'cli/entry': ['cli/execute-options.ts', 'cli/run-executed.ts', 'sequencer/executed-boot.ts'],
  'cli/escapes': ['base/printable.ts', 'cli/run.ts', 'cli/scenario.ts'],
  'cli/hostile': ['base/limits.ts', 'node/files.ts', 'scenario/scenario.ts'],
  'cli/inspect-executed': [
    'cli/inspect.ts',
    'cli/exposure.ts',
    'cli/why.ts',
    'sequencer/executed-boot.ts',
  ],
  'cli/match-executed': ['cli/match-out.ts', 'cli/match-run.ts', 'cli/run-executed.ts'],
  'cli/mistakes': ['cli/main.ts', 'cli/usage.ts', 'base/suggest.ts', 'cli/file-kinds.ts'],
  'cli/own-hunks': [
    'cli/run-options.ts',
    'cli/run-files.ts',
    'cli/matrix.ts',
    'sequencer/own-hunks.ts',
    'trace/run-files.ts',
  ],
  'cli/own-scenario': ['cli/run-files.ts', 'node/relative-paths.ts', 'trace/run-files.ts'],
  'cli/options': ['cli/run.ts', 'linux/options/options.ts'],
  'cli/streams': ['cli/main.ts', 'cli/fault.ts', 'node/write-file.ts'],
  'decompress/checksums': ['decompress/crc.ts', 'decompress/xxhash.ts'],
  'dma/masks': ['dma', 'linux/include/linux/dma-mapping', 'linux/lib/swiotlb'],
  'firmware/image/hostile': [
    'firmware/image/elf.ts',
    'firmware/image/kallsyms.ts',
    'firmware/image/symbols.ts',
  ],
  'inspect/untouched': ['inspect', 'machine/quiet.ts', 'analysis/matrix/key-mismatch.ts'],
  'kernel/call-sites': ['kernel/program.ts'],
  'linux/init/main/run-init': ['linux/init/main'],
  'linux/options/cpu': ['linux/options/options.ts', 'linux/include/linux/cpumask.ts'],
  'linux/options/dma': ['linux/options/options.ts', 'linux/arch/x86/kernel/pci-dma'],
  'linux/options/memory': ['linux/options/options.ts', 'linux/arch/x86/kernel/e820'],
  'machine/cache/access-bounds': ['machine/cache/cache.ts', 'machine/cache/cache-tags.ts'],
  'machine/cache/long-fill': ['machine/cache/cache.ts', 'machine/cache/lazy-fill.ts'],
  'machine/cache/model': ['machine/cache/cache.ts', 'machine/cache/cache-tags.ts'],
  'machine/load': ['machine/machine.ts', 'machine/memory/dram.ts'],
  'machine/memory/dram-model': ['machine/memory/dram.ts', 'machine/memory/page-store.ts'],
  'machine/memory/dram-lazy': ['machine/memory/dram.ts', 'machine/memory/page-store.ts'],
  'machine/memory/last-write': [
    'machine/machine.ts',
    'machine/cache/cache.ts',
    'machine/memory/dram.ts',
  ],
  'machine/memory/watch-lines': ['machine/machine.ts', 'machine/memory/line-set.ts'],
  'sanitizer/findings': ['sanitizer/rules.ts', 'series/finding.ts'],
  'sanitizer/silence': ['sanitizer/rules.ts'],
  'sanitizer/last-bytes': ['sanitizer/shadow.ts', 'sanitizer/rules/keys.ts'],
  'scenario/cpu-tables': ['firmware/acpi', 'firmware/mp-table.ts'],
  'scenario/dmesg-forms': ['scenario/dmesg.ts', 'scenario/log-text.ts'],
  'sequencer/elsewhere': ['sequencer/boot.ts'],
  'sequencer/expected-traces': ['sequencer/boot.ts', 'check/compare.ts'],
  'series/alternatives': ['series/compose.ts', 'series/link.ts', 'series/patches.ts'],
  'x86/corners': [
    'x86/control-registers.ts',
    'x86/legacy-segments.ts',
    'x86/read-modify-write.ts',
    'x86/stack-words.ts',
    'machine/cpu/idt.ts',
  ],
  'x86/semantics': [
    'x86/alu.ts',
    'x86/bits.ts',
    'x86/control-flow.ts',
    'x86/exchange.ts',
    'x86/flags.ts',
    'x86/moves.ts',
    'x86/multiply.ts',
    'x86/shifts.ts',
    'x86/stack.ts',
    'x86/strings.ts',
  ],
  'series/records': ['series/record.ts', 'cli/records.ts'],
};

const suites = testFiles().map((file) => file.replace(/(?:\.exhaustive)?\.test\.ts$/, ''));
/** Whether src/ has a module of that path, or a folder: a C file modelled in several modules. */
const mirrors = (suite: string): boolean =>
  existsSync(`src/${suite}.ts`) || existsSync(`src/${suite}`);

test('each suite is at the path of its source, or listed with the files that it covers', () => {
  const unlisted = suites.filter(
    (suite) =>
      !mirrors(suite) &&
      !Object.hasOwn(SEVERAL, suite) &&
      !Object.hasOwn(FOLDERS, suite.split('/')[0] ?? ''),
  );
  expect(unlisted).toEqual([]);
});

test('the lists name existing suites and sources, and no suite at the path of a source', () => {
  const wrong = Object.entries(SEVERAL).flatMap(([suite, covers]) => [
    ...(suites.includes(suite) ? [] : [`${suite}: no such suite`]),
    ...(mirrors(suite) ? [`${suite}: at the path of a source`] : []),
    ...covers
      .filter((path) => !existsSync(`src/${path}`))
      .map((path) => `${suite}: no src/${path}`),
  ]);
  const folders = Object.keys(FOLDERS).filter(
    (folder) => existsSync(`src/${folder}`) || !suites.some((s) => s.startsWith(`${folder}/`)),
  );
  expect([...wrong, ...folders]).toEqual([]);
});

test.each(Object.keys(SEVERAL))('%s begins with a comment on what it covers', (suite) => {
  expect(readFileSync(`test/${suite}.test.ts`, 'utf8')).toMatch(/^\/\*\*/);
});

test('each exhaustive suite has a suite of representatives in the same folder', () => {
  const alone = testFiles().filter(
    (file) =>
      file.endsWith('.exhaustive.test.ts') &&
      !existsSync(`test/${file.replace('.exhaustive', '')}`),
  );
  expect(alone).toEqual([]);
});
