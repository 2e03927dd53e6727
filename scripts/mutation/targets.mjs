// The tests that run against the mutants of a file. Each mutant costs a run of those that reach it, and the loading of all,
// so these are the suites of the file's own part.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { testFiles } from '../test-groups.mjs';

/** The modules that are measured as a whole, and their suites: paths below test/. */
export const TARGETS = {
  tlb: { files: ['machine/cpu/tlb.ts'], tests: ['machine/cpu/tlb'] },
  mmu: { files: ['machine/cpu/mmu.ts'], tests: ['machine/cpu/mmu'] },
  cache: {
    files: [
      'machine/cache/cache.ts',
      'machine/cache/cache-tags.ts',
      'machine/cache/copy-line.ts',
      'machine/cache/lazy-fill.ts',
      'machine/cache/lru.ts',
      'machine/cache/write-back-queue.ts',
    ],
    tests: ['machine/cache'],
  },
  dram: {
    files: ['machine/memory/dram.ts', 'machine/memory/dram-page.ts'],
    tests: [
      'machine/memory/dram',
      'machine/memory/dram-lazy',
      'machine/memory/dram-model',
      'machine/memory/dram-page',
      'machine/memory/page-store',
      'machine/memory/last-write',
    ],
  },
  engine: { files: ['machine/memory/engine.ts'], tests: ['machine/memory/engine'] },
  msr: { files: ['machine/cpu/msr.ts'], tests: ['machine/cpu/msr', 'machine/machine'] },
  link: { files: ['series/link.ts'], tests: ['series/link'] },
  compare: {
    files: ['check/compare.ts', 'check/compare-text.ts'],
    tests: ['check/compare', 'check/compare-text'],
  },
  match: {
    files: ['check/match.ts', 'check/match-text.ts', 'check/match-out.ts'],
    tests: ['check/match', 'check/match-text', 'check/match-out'],
  },
};

/** Whole boots: --sample runs them against what the nearest suites let pass. */
export const BOOTS = ['sequencer/expected-traces.test.ts'];
/** The rooms of src/ without an effect on a boot of a scenario. */
const NO_BOOT = /^(?:analysis|cli|decompress|inspect|lib|node)\//;
export const isInBoots = (source) => !NO_BOOT.test(source);

/** Suites for the files of a room without one at their own path, where the room has too many to run them all, or none. */
const ROOMS = {
  cli: ['cli/check', 'cli/inspect', 'cli/options', 'cli/run', 'cli/scenario', 'cli/terminal'],
  iommu: ['linux/drivers/iommu'],
  kvm: ['linux/arch/x86/kvm'],
  pgtable: ['linux/arch/x86/mm', 'linux/arch/x86/kernel/espfix_64'],
  realmode: ['linux/arch/x86/realmode'],
};

/** Suites of no run: exhaustive ones, those of the project or the built program, those that a new machine cannot run. */
const LEFT_OUT =
  /(?:\.exhaustive\.test\.ts$|^(?:browser|docs|ground|guards|live|package|real|stages)\/)/;

/** Read once: a run may outlive changes of the tests, which its copies do not have. */
const SUITES = testFiles();

/** The suites below a path of test/ without its ending: that suite, or all of a folder. */
function suitesAt(path) {
  return SUITES.filter((file) => file === `${path}.test.ts` || file.startsWith(`${path}/`));
}

/** The suites nearest to a source: at its own path, else of the nearest folder above it that has any. */
function nearest(source) {
  for (let path = source.replace(/\.ts$/, ''); path !== '.'; path = dirname(path)) {
    const found = Object.hasOwn(ROOMS, path) ? ROOMS[path].flatMap(suitesAt) : suitesAt(path);
    const run = found.filter((file) => !LEFT_OUT.test(file));
    if (run.length > 0) return run;
  }
  return [];
}

/** The target that a file below src/ belongs to, by name; undefined for the rest. */
export function targetOf(source) {
  return Object.keys(TARGETS).find((name) => TARGETS[name].files.includes(source));
}

/** The suites for a file below src/, as paths below test/, sorted. */
export function testsFor(source) {
  const target = targetOf(source);
  const found =
    target === undefined
      ? nearest(source)
      : TARGETS[target].tests.flatMap((path) => suitesAt(path));
  return [...new Set(found)].filter((file) => !LEFT_OUT.test(file)).sort();
}

/** The files of a name of TARGETS, or of a path with or without `src/`; undefined if there is no such file. */
export function filesOf(name) {
  if (Object.hasOwn(TARGETS, name)) return TARGETS[name].files;
  const path = name.replace(/^(?:\.\/)?src\//, '');
  return existsSync(`src/${path}`) && path.endsWith('.ts') ? [path] : undefined;
}
