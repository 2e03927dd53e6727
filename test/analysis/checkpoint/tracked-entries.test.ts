import { describe, expect, test } from '@jest/globals';
import { freshState } from '../../../src/linux/index.js';
import type { KernelState } from '../../../src/kernel/state.js';
import {
  copyEntries,
  diffStates,
  Touched,
  trackFields,
} from '../../../src/analysis/checkpoint/tracked-entries.js';

/** A state with two lines in its log and two capabilities. */
function state(change: (state: KernelState) => void = () => undefined): KernelState {
  const made = freshState();
  made.console.printk.log.push('one', 'two');
  made.bootCpuData.capability = { SME: 1, PGE: 0 };
  change(made);
  return made;
}
const log = (key: string) => ({ field: 'log', key }) as const;
const capability = (key: string) => ({ field: 'capability', key }) as const;

describe('accessed entries', () => {
  const touched = (act: (state: KernelState) => void): string[] => {
    const subject = state();
    const [before, into] = [structuredClone(subject), new Touched()];
    const unwatch = trackFields(subject, into);
    act(subject);
    unwatch();
    // The proxies are removed: they could not be cloned as plain data.
    expect(structuredClone(subject)).toBeDefined();
    act(before);
    expect(subject).toEqual(before);
    const all = [log('0'), log('1'), log('2'), capability('SME'), capability('PGE')];
    return all.filter((entry) => into.has(entry)).map(({ key }) => key);
  };

  test.each<[string, string[], (state: KernelState) => void]>([
    ['a line that is printed', ['2'], (s) => s.console.printk.log.push('three')],
    ['a line that is read', ['1'], (s) => s.console.printk.log[1]],
    ['all lines', ['0', '1'], (s) => s.console.printk.log.join('')],
    ['some lines', ['1'], (s) => s.console.printk.log.slice(1)],
    ['lines that are truncated', ['0', '1', '2'], (s) => (s.console.printk.log.length = 1)],
    ['the last line, popped', ['0', '1', '2'], (s) => s.console.printk.log.pop()],
    ['the number of lines', [], (s) => s.console.printk.log.length],
    ['a log that replaces it', ['0', '1', '2'], (s) => (s.console.printk.log = ['other'])],
    ['a capability that is read', ['SME'], (s) => s.bootCpuData.capability['SME'] === 1],
    ['a capability that is set', ['PGE'], (s) => (s.bootCpuData.capability['PGE'] = 1)],
    ['a capability that is tested with in', ['SME'], (s) => 'SME' in s.bootCpuData.capability],
    ['a capability that is deleted', ['SME'], (s) => delete s.bootCpuData.capability['SME']],
    ['the names of all capabilities', ['SME', 'PGE'], (s) => Object.keys(s.bootCpuData.capability)],
    ['another variable', [], (s) => (s.maxPfn = 7)],
  ])('are those of %s', (_what, keys, act) => {
    expect(touched(act)).toEqual(keys);
  });
});

describe('two states differ', () => {
  test('in no entry if they are equal', () => {
    expect(diffStates(state(), state())).toEqual([]);
  });

  test('in some entries, which copyEntries copies', () => {
    const other = state((s) => {
      s.console.printk.log[1] = 'zwei';
      s.bootCpuData.capability = { SME: 0, NX: 1 };
    });
    const subject = state();
    const differing = diffStates(other, subject) ?? [];
    expect(differing).toEqual([capability('SME'), capability('NX'), capability('PGE'), log('1')]);
    copyEntries(subject, other, differing);
    expect(subject).toEqual(other);
  });

  test.each<[string, (state: KernelState) => void]>([
    ['an additional line', (s) => s.console.printk.log.push('three')],
    ['another variable', (s) => (s.maxPfn = 7)],
    ['another part of what has a field', (s) => (s.console.printk.consoleSeq = 1)],
    ['another part of boot_cpu_data', (s) => (s.bootCpuData.family = 1)],
  ])('in more than entries by %s', (_what, change) => {
    expect(diffStates(state(change), state())).toBeUndefined();
  });
});
