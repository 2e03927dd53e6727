/** Files of another kind than a command takes, recognized by their first bytes or their keys. */
import { InputError } from '../base/errors.js';
import { valueAt, type YamlSource } from '../base/yaml-source.js';

/** The kinds of files that take YAML, with the code of their errors and their name in a sentence. */
const WANTED = {
  scenario: { code: 'E_SCENARIO', name: 'a scenario' },
  series: { code: 'E_SERIES', name: 'a series' },
  probe: { code: 'E_PROBE', name: 'a call script' },
  question: { code: 'E_QUESTION', name: 'a question' },
} as const;

/** A kind of file, and where it is used. */
interface Kind {
  readonly name: string;
  readonly use?: string;
}

/** Files that are not YAML, by their beginning: the formats' magic numbers, and the first line of a kernel log. */
const BEGINNINGS: readonly (readonly [RegExp, Kind])[] = [
  [/^MZ/, { name: 'a kernel image', use: '--kernel FILE' }],
  [/^\u007fELF/, { name: 'an ELF file', use: '--kernel FILE' }],
  [/^07070[127]/, { name: 'a cpio archive', use: '--initrd FILE' }],
  [/^\p{Cc}\ufffd|^\ufffd7zXZ/u, { name: 'a compressed file', use: '--initrd FILE' }],
  [
    /^(?:<\d+>)?\[ *\d+\.\d+\] |^[^\n]*\bLinux version \d/,
    { name: 'a kernel log', use: 'sme-boot scenario from-dmesg FILE' },
  ],
];

/** The kind of a text that is not of this project's YAML; undefined: it may be. */
function kindOfText(text: string): Kind | undefined {
  const found = BEGINNINGS.find(([pattern]) => pattern.test(text));
  if (found !== undefined) return found[1];
  if (text.trim() === '') return { name: 'an empty file' };
  return text.includes('\0') ? { name: 'a binary file' } : undefined;
}

const USES = {
  scenario: { name: 'a scenario', use: 'sme-boot run FILE' },
  series: { name: 'a series', use: '--series FILE' },
  probe: { name: 'a call script', use: 'sme-boot probe FILE' },
  question: { name: 'a question', use: 'sme-boot questions FILE' },
} as const satisfies Record<keyof typeof WANTED, Kind>;

/** The kind of a parsed file by the keys that only that kind has. */
function kindOfKeys(value: unknown): Kind | undefined {
  const has = (key: string): boolean => valueAt(value, [key]) !== undefined;
  if (has('machine')) return USES.scenario;
  if (has('probe') && has('calls')) return USES.probe;
  if (has('question') && has('asked')) return USES.question;
  if (has('header') && has('steps')) return { name: 'a trace', use: 'sme-boot check FILE' };
  if (has('expect') && (has('run') || has('base') || has('trace') || has('views'))) {
    return { name: 'an expectation', use: 'sme-boot check FILE' };
  }
  if (has('sme-boot-matrix')) return { name: 'a matrix', use: 'sme-boot matrix merge FILE' };
  if (has('title') && (has('without') || has('with') || has('stage'))) return USES.series;
  return undefined;
}

function refuse(wanted: keyof typeof WANTED, file: string, found: Kind): never {
  const { code, name } = WANTED[wanted];
  throw new InputError({
    code,
    place: { file },
    expected: name,
    found: found.name,
    ...(found.use !== undefined && { suggestion: found.use.replace('FILE', file) }),
  });
}

/** Throws the error of a wrong kind of file for a text that is clearly of another kind. */
export function checkText(wanted: keyof typeof WANTED, file: string, text: string): string {
  const found = kindOfText(text);
  if (found !== undefined) refuse(wanted, file, found);
  return text;
}

/** Throws the error of a wrong kind of file for a parsed file that has the keys of another kind. */
export function checkKeys(wanted: keyof typeof WANTED, source: YamlSource): YamlSource {
  const found = kindOfKeys(source.value);
  if (found !== undefined && found !== USES[wanted]) refuse(wanted, source.file, found);
  return source;
}

/** Whether a parsed file is a scenario. */
export const isScenario = ({ value }: YamlSource): boolean => kindOfKeys(value) === USES.scenario;
