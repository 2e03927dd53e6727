// The groups of the tests, and what each script of package.json runs. A test file belongs to the first group whose
// pattern matches its path below test/. jest.config.mjs takes the files from here, scripts/jest.mjs the runs and what
// its last line says is left to other scripts.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const GROUPS = {
  // These need what a new machine lacks: kernel images, Chromium, external tools.
  real: /^real\//,
  browser: /^browser\//,
  live: /^live\//,
  // Thousands of inputs of each kind.
  fuzz: /^fuzz\/fuzz\./,
  // Boots by the hundred: every stage of every scenario, every label, every hunk; and the suites that boot for each of
  // many options, logs, alternatives or layouts, run the program as a process for each case, or compile. Single cases of
  // other suites are left by test/cases.ts.
  exhaustive: new RegExp(
    [
      '^stages/(?!ladder\\.|invariants\\.)',
      '\\.exhaustive\\.test\\.ts$',
      '^linux/options/(?:cpu|dma|memory)\\.',
      '^linux/init/main/early-param\\.',
      '^linux/drivers/pci/setup-res\\.',
      '^scenario/from-dmesg\\.',
      '^series/alternatives\\.',
      '^analysis/matrix/own-hunk\\.',
      '^sequencer/kexec-efi\\.',
      '^ground/cycles\\.',
      '^cli/(?:own-hunks|own-scenario|streams|hostile|escapes|init|terminal|output)\\.',
      '^cli/(?:bisect|check-reports|check-jobs|last-writers|match-out|probe|questions|review-mbox|trace)\\.',
      '^(?:inspect/exposure/exposure|inspect/translation|kernel/searched|scenario/cache|sequencer/expected)\\.',
      '^(?:dma/13-dma|scenario/cpu-tables|linux/drivers/firmware/dmi_scan|linux/drivers/video/console/vgacon)\\.',
      '^linux/arch/x86/(?:kernel/early_printk|kernel/mpparse|kvm/x86/x86|realmode/init)\\.',
      '^linux/arch/x86/platform/efi/efi/(?:early|params|virtual-mode)\\.',
      '^linux/drivers/iommu/amd_iommu_init/ivrs\\.',
      '^(?:analysis/calls/calls|guards/guards|kernel/fault-text|sequencer/elsewhere)\\.',
      '^(?:firmware/image/built-in|sequencer/kexec|linux/arch/x86/kvm/x86/emulate)\\.',
      '^docs/(?:commands|pages)\\.',
      '^package/',
    ].join('|'),
  ),
  // Of these folders without a suite that boots for long.
  quick: /^(?:base|check|firmware|kernel|machine|series|trace)\/(?!loader\.)/,
  rest: /^/,
};

/**
 * The runs of jest of each script, by their groups, with further options. Measuring coverage doubles the time of a test,
 * and the exhaustive ones cover no further lines. `cases: 'first'` leaves what test/cases.ts marks to test:all.
 */
export const SCRIPTS = {
  'test:quick': [{ groups: ['quick'], cases: 'first' }],
  test: [{ groups: ['quick', 'rest'], cases: 'first' }],
  'test:exhaustive': [{ groups: ['exhaustive'] }],
  'test:all': [{ groups: ['quick', 'rest'], options: ['--coverage'] }, { groups: ['exhaustive'] }],
  'test:fuzz': [{ groups: ['fuzz'] }],
  'test:live': [{ groups: ['live'] }],
  'test:real': [{ groups: ['real'] }],
  'test:browser': [{ groups: ['browser'] }],
};

/** What runs when paths are given: all that a new machine can run. */
export const BY_PATH = [{ groups: ['quick', 'rest', 'exhaustive'] }];

/** The script that runs a group, for the last line. */
const RUN_BY = {
  quick: 'test',
  rest: 'test',
  exhaustive: 'test:all',
  fuzz: 'test:fuzz',
  live: 'test:live',
  real: 'test:real',
  browser: 'test:browser',
};

const TESTS = fileURLToPath(new URL('../test', import.meta.url));

/** The group of a test file, by its path below test/. */
export function groupOf(path) {
  return Object.keys(GROUPS).find((name) => GROUPS[name].test(path));
}

/** All test files below test/, with `/`. */
export function testFiles(folder = '') {
  return readdirSync(join(TESTS, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return testFiles(path);
      return path.endsWith('.test.ts') ? [path] : [];
    })
    .sort();
}

/** `1 file`, `2 files`; empty for none. */
function counted(count, noun) {
  if (count === 0) return '';
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * What a script leaves to others: `left to npm run test:all (12 files, 90 cases), test:live (4 files)`. `cases` counts
 * those of the files that ran.
 */
export function leftTo(script, { files = testFiles(), cases = 0 } = {}) {
  const run = new Set(SCRIPTS[script].flatMap(({ groups }) => groups));
  const left = new Map();
  for (const file of files) {
    const group = groupOf(file);
    if (run.has(group)) continue;
    left.set(RUN_BY[group], (left.get(RUN_BY[group]) ?? 0) + 1);
  }
  // The names of scripts in the order of the table.
  const parts = Object.keys(SCRIPTS).flatMap((name) => {
    const counts = [
      counted(left.get(name) ?? 0, 'file'),
      counted(name === 'test:all' ? cases : 0, 'case'),
    ].filter(Boolean);
    return counts.length === 0 ? [] : `${name} (${counts.join(', ')})`;
  });
  return parts.length === 0 ? '' : `left to npm run ${parts.join(', ')}`;
}
