/** Predicates on a trace in the form of the command line: `outcome=panic`, `garbage=initrd`. */
import { own } from '../../base/own.js';
import { InputError } from '../../base/errors.js';
import { directiveOf } from '../../check/directive.js';
import { matchRecord } from '../../check/pattern.js';
import { OUTCOME_KINDS, type Trace } from '../../trace/trace.js';
import { readYaml } from '../../base/yaml-source.js';

/** The parts of a trace that predicates read. */
export type TraceParts = Pick<Trace, 'steps' | 'consumed' | 'outcome'>;

/** A property of a trace. */
export interface Predicate {
  /** The expression as given. */
  readonly text: string;
  holds(trace: TraceParts): boolean;
}

type Reader = (value: string) => (trace: TraceParts) => boolean;

const intactnessOf = ({ consumed }: TraceParts, name: string): boolean[] =>
  consumed.filter((one) => one.name === name).map(({ intact }) => intact);

const READERS: Readonly<Record<string, Reader>> = {
  outcome: (value) => {
    if (!OUTCOME_KINDS.some((kind) => kind === value)) {
      throw wrong(`outcome=${value}`, `outcome=${OUTCOME_KINDS.join('|')}`);
    }
    return ({ outcome }) => outcome.kind === value;
  },
  // At least one reader got other bytes.
  garbage: (name) => (trace) => intactnessOf(trace, name).includes(false),
  // It was read, and every reader got the same bytes.
  intact: (name) => (trace) => {
    const readers = intactnessOf(trace, name);
    return readers.length > 0 && !readers.includes(false);
  },
  // Fields of one event, in the form of a match file's `expect`.
  event: (flow) => {
    const source = readYaml('--expect', `expect: ${flow}`);
    const { patterns } = directiveOf(source, []);
    return ({ steps }) =>
      steps.some(({ events }) =>
        events.some((event) =>
          patterns.every((pattern) => matchRecord(pattern, event, new Map()) !== undefined),
        ),
      );
  },
};

function wrong(found: string, expected: string): InputError {
  return new InputError({
    code: 'E_USAGE',
    reason: '--expect takes a predicate',
    expected,
    found,
  });
}

/** Parses one expression. Throws E_USAGE, and E_YAML or E_EXPECTATION for a malformed event. */
export function predicateOf(text: string): Predicate {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0));
  const reader = own(READERS, name);
  const value = text.slice(at + 1);
  if (reader === undefined || value === '') {
    throw wrong(text, 'outcome=KIND, garbage=NAME, intact=NAME or event={…}');
  }
  return { text, holds: reader(value) };
}
