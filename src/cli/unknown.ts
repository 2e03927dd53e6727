/** Errors for names of scenarios and series that do not exist. */
import { existsSync } from 'node:fs';
import { InputError } from '../base/errors.js';
import { nearest, suggest } from '../base/suggest.js';
import { nearFiles } from '../node/near-files.js';

type Code = 'E_SCENARIO_UNKNOWN' | 'E_SERIES_UNKNOWN';

const LISTS: Readonly<Record<Code, string>> = {
  E_SCENARIO_UNKNOWN: 'a file, or a name that "sme-boot list scenarios" prints',
  E_SERIES_UNKNOWN: 'a file, or a name that "sme-boot list series" prints',
};

/** The error for a name that is none of `names`. */
export function unknownName(code: Code, found: string, names: readonly string[]): InputError {
  const name = found.replace(/\.ya?ml$/, '');
  // Without a slash or an extension a word is a name, also where a file has it.
  const isFile = found !== '' && existsSync(found);
  const near = names.includes(name) ? { suggestion: name } : suggest(name, names);
  const meant = isFile ? { suggestion: `./${found}` } : near;
  return new InputError({
    code,
    expected:
      meant.suggestion === undefined ? `a file, or one of ${names.join(', ')}` : LISTS[code],
    found: found === '' ? '""' : found,
    ...meant,
  });
}

/** Throws E_READ for the name of a YAML file that is not there, if it is near to a file and not to a name. */
function missingYaml(file: string, names: readonly string[]): void {
  const name = file.replace(/\.ya?ml$/, '');
  if (name === file || names.includes(name)) return;
  const near = nearFiles(file);
  if (near.suggestion === undefined && nearest(name, names).length > 0) return;
  throw new InputError({ code: 'E_READ', place: { file }, reason: 'no such file', ...near });
}

/** Throws the error of `unknownName` for a word that is neither a file nor, because of a slash, meant as one. */
export function missingFile(code: Code, nameOrFile: string, names: () => string[]): void {
  if (/[/\\]/.test(nameOrFile) || nameOrFile === '-' || existsSync(nameOrFile)) return;
  missingYaml(nameOrFile, names());
  throw unknownName(code, nameOrFile, names());
}
