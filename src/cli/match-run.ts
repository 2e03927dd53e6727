/** The run of a match file. */
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';
import type { RunOf } from '../check/run-section.js';
import { kindOfPath } from '../node/files.js';
import { nearFiles } from '../node/near-files.js';
import { fromFile, isName, namedIn } from '../node/relative-paths.js';
import { assignments, type Run } from './runs.js';

/** The run that a match file states; its paths are relative to `file`. Throws E_READ, at the key, for a missing file. */
export function matchRun(file: string, run: RunOf): Run {
  const there = (key: string, path: string): string => {
    if (isName(path) || kindOfPath(path) !== undefined) return path;
    throw new InputError({
      code: 'E_READ',
      place: { file, path: `run.${key}` },
      reason: 'no such file',
      found: path,
      ...nearFiles(path),
    });
  };
  const named = (key: 'scenario' | 'series', word: string): string =>
    there(key, namedIn(file, word));
  const path = (key: 'kernel' | 'system-map' | 'initrd' | 'dtb'): string | undefined => {
    const stated = run[key];
    return stated === undefined ? undefined : there(key, fromFile(file, stated));
  };
  const { scenario, series, stage, activate, without, stub, neutral, set, cmdline, sanitize } = run;
  const { execute, entry, until, 'max-instructions': maxInstructions } = run;
  return {
    scenario: named('scenario', scenario),
    flags: optional({
      series: series === undefined ? undefined : named('series', series),
      stage,
      activate,
      without,
      stub: stub ?? neutral,
      with: run.with,
      hunks: run.hunks?.map((module, index) =>
        there(`hunks.${String(index)}`, fromFile(file, module)),
      ),
      set: set === undefined ? undefined : assignments(set),
      cmdline,
      sanitize,
      execute,
      entry,
      until,
      maxInstructions,
      kernel: path('kernel'),
      systemMap: path('system-map'),
      initrd: path('initrd'),
      dtb: path('dtb'),
    }),
  };
}
