/** Options of a boot of which one would have no effect, or that contradict each other. */
import { InputError } from '../base/errors.js';
import type { RunFlags } from './run-options.js';

const refuse = (reason: string, expected: string, found: string): InputError =>
  new InputError({ code: 'E_USAGE', reason, expected, found });

/** Throws E_USAGE for the first such combination. */
export function checkCombination(flags: RunFlags): void {
  const { kernel, systemMap, initrd, cmdline, set = [] } = flags;
  if (systemMap !== undefined && kernel === undefined) {
    throw refuse(
      '--system-map has no effect without --kernel',
      '--kernel FILE',
      `--system-map ${systemMap}`,
    );
  }
  const paths = set.map((assignment) => assignment.slice(0, Math.max(0, assignment.indexOf('='))));
  const twice = paths.find((path, index) => path !== '' && paths.indexOf(path) < index);
  if (twice !== undefined) {
    const both = set.filter((_assignment, index) => paths[index] === twice);
    throw refuse(`${twice} is set twice`, 'one value', both.join(' and '));
  }
  const setTo = (path: string): string | undefined =>
    set.find((_assignment, index) => paths[index] === path);
  const line = setTo('cmdline');
  if (cmdline !== undefined && line !== undefined) {
    throw refuse('the command line is given twice', '--cmdline or --set cmdline=', `both`);
  }
  const size = setTo('loader.initrdSize');
  if (initrd !== undefined && size !== undefined) {
    throw refuse('an initrd in a file has its own size', '--initrd without this --set', size);
  }
}
