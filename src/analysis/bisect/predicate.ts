/** Predicates on a trace in the form of the command line: `outcome=panic`, `garbage=initrd`. */
import { own } from '../../base/own.js';
import { InputError } from '../../base/errors.js';
import { oneOf, suggest } from '../../base/suggest.js';
import { directiveOf, type Directive } from '../../check/directive.js';
import { matchDirective } from '../../check/match.js';
import { mismatchText } from '../../check/match-text.js';
import { matchRecord, matchValue, valuePattern } from '../../check/pattern.js';
import { OUTCOME_KINDS, type Trace } from '../../trace/trace.js';
import { printEvent } from '../../trace/yaml-out.js';
import { readYaml } from '../../base/yaml-source.js';

/** The parts of a trace that predicates read. */
export type TraceParts = Pick<Trace, 'steps' | 'consumed' | 'outcome' | 'reports'>;

/** The names that expressions may have; any where they are not known. */
export interface PredicateNames {
  /** Names of data that the boot may read. */
  readonly data?: readonly string[];
  /** Rules of the sanitizer. */
  readonly rules?: readonly string[];
  /** Kinds of outcomes; default: those of boots of the model. */
  readonly outcomes?: readonly string[];
}

/** A property of a trace. */
export interface Predicate {
  /** The expression as given. */
  readonly text: string;
  holds(trace: TraceParts): boolean;
  /** What the trace has of what the expression is about, in one line. */
  seen(trace: TraceParts): string;
}

type Reader = (value: string, names: PredicateNames) => Pick<Predicate, 'holds' | 'seen'>;

const intactnessOf = ({ consumed }: TraceParts, name: string): boolean[] =>
  consumed.filter((one) => one.name === name).map(({ intact }) => intact);

function outcomeText({ outcome: { kind, where, message } }: TraceParts): string {
  const place = where === undefined ? '' : ` in ${where}`;
  return `${kind}${place}${message === undefined ? '' : `: ${message}`}`;
}

/** The readers of some data with what each got; if there is none, what the boot did read. */
function readersText({ consumed }: TraceParts, name: string): string {
  const rows = consumed.filter((one) => one.name === name);
  if (rows.length === 0) {
    const names = [...new Set(consumed.map((one) => one.name))].join(', ');
    return `not read; the boot read ${names === '' ? 'nothing' : names}`;
  }
  return rows
    .map(({ by, intact, firstDifference: first }) => {
      const at = first === undefined ? '' : ` from byte ${first}`;
      return `${by} got ${intact ? 'the bytes that were written' : `other bytes${at}`}`;
    })
    .join(', ');
}

/** The first event that a pattern matches; otherwise the nearest one and what differs. */
function eventText(directive: Directive, { steps }: TraceParts): string {
  const { verdict } = matchDirective(directive, steps);
  if (verdict.status === 'found') {
    const [first] = verdict.at;
    return first === undefined ? 'found' : `${first.step}: ${printEvent(first.event)}`;
  }
  const nearest = verdict.status === 'not-found' ? verdict.nearest : undefined;
  if (nearest === undefined) return 'no event of this kind';
  const differs = nearest.differs.map(mismatchText).join(', ');
  return `none; nearest ${nearest.step}: ${printEvent(nearest.event)} (${differs})`;
}

/** The first report of a rule, with the number of the others; if there is none, the rules that were reported. */
function reportText({ reports = [] }: TraceParts, rule: string): string {
  const [first, ...others] = reports.filter((report) => report.rule === rule);
  if (first === undefined) {
    const rules = [...new Set(reports.map((report) => report.rule))].join(', ');
    return `not reported; reports of ${rules === '' ? 'no rule' : rules}`;
  }
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return `at ${first.at}, in ${first.step} by ${first.in}${more}`;
}

const READERS: Readonly<Record<string, Reader>> = {
  outcome: (value, { outcomes = OUTCOME_KINDS }) => {
    if (!outcomes.includes(value)) {
      const near = suggest(value, outcomes);
      throw wrong(`outcome=${value}`, `outcome=${outcomes.join('|')}`, near);
    }
    return { holds: ({ outcome }) => outcome.kind === value, seen: outcomeText };
  },
  // At least one reader got other bytes.
  garbage: (name, { data }) => {
    checkName('garbage', name, data);
    return {
      holds: (trace) => intactnessOf(trace, name).includes(false),
      seen: (trace) => readersText(trace, name),
    };
  },
  // It was read, and every reader got the same bytes.
  intact: (name, { data }) => {
    checkName('intact', name, data);
    return {
      holds: (trace) => {
        const readers = intactnessOf(trace, name);
        return readers.length > 0 && !readers.includes(false);
      },
      seen: (trace) => readersText(trace, name),
    };
  },
  // The sanitizer made a report of this rule.
  report: (rule, { rules }) => {
    if (rules !== undefined && !rules.includes(rule)) {
      const expected = 'a rule that "sme-boot list rules" prints';
      throw wrong(`report=${rule}`, expected, suggest(rule, rules), 'no rule of the sanitizer');
    }
    return {
      holds: ({ reports = [] }) => reports.some((report) => report.rule === rule),
      seen: (trace) => reportText(trace, rule),
    };
  },
  // A line of the console is this text, or has a match of this expression.
  console: (value) => {
    const pattern = valuePattern(value);
    if (typeof pattern === 'string') throw wrong(`console=${value}`, pattern);
    const matching = (trace: TraceParts): { step: string; text: string } | undefined =>
      consoleOf(trace).find(({ text }) => matchValue(pattern, text, new Map()) !== undefined);
    return {
      holds: (trace) => matching(trace) !== undefined,
      seen: (trace) => {
        const found = matching(trace);
        if (found !== undefined) return `${found.step}: ${found.text}`;
        const last = consoleOf(trace).findLast(({ text }) => text.trim() !== '');
        return last === undefined ? 'the console is empty' : `the last line is ${last.text}`;
      },
    };
  },
  // Fields of one event, in the form of a match file's `expect`.
  event: (flow) => {
    const source = readYaml('--expect', `expect: ${flow}`);
    const directive = directiveOf(source, []);
    return {
      holds: ({ steps }) =>
        steps.some(({ events }) =>
          events.some((event) =>
            directive.patterns.every(
              (pattern) => matchRecord(pattern, event, new Map()) !== undefined,
            ),
          ),
        ),
      seen: (trace) => eventText(directive, trace),
    };
  },
};

/** The lines of the console, with the label of their steps. */
const consoleOf = ({ steps }: TraceParts): { step: string; text: string }[] =>
  steps.flatMap(({ label, events }) =>
    events.flatMap((event) =>
      event.console === undefined ? [] : [{ step: label, text: String(event.console) }],
    ),
  );

function wrong(
  found: string,
  expected: string,
  near: { suggestion?: string } = {},
  reason = 'not a predicate',
): InputError {
  return new InputError({
    code: 'E_USAGE',
    place: { path: '--expect' },
    reason,
    expected,
    found: found === '' ? '""' : found,
    ...near,
  });
}

/** Throws E_USAGE for a name of data that is not one of `names`, if they are given. */
function checkName(reader: string, name: string, names: readonly string[] | undefined): void {
  if (names === undefined || names.includes(name)) return;
  throw new InputError({
    code: 'E_USAGE',
    place: { path: '--expect' },
    reason: 'no boot of this scenario reads data of this name',
    expected: oneOf(names, 'a name that "run" lists under "what the boot read"'),
    found: `${reader}=${name}`,
    ...suggest(name, names),
  });
}

/**
 * Parses one expression. Throws E_USAGE, also for a name that is none of `names`, and E_YAML or E_EXPECTATION for a
 * malformed event.
 */
export function predicateOf(text: string, names: PredicateNames = {}): Predicate {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0));
  const reader = own(READERS, name);
  const value = text.slice(at + 1);
  if (reader === undefined || value === '') {
    const near = reader === undefined && at > 0 ? suggest(name, Object.keys(READERS)) : {};
    throw wrong(
      text,
      'outcome=KIND, garbage=NAME, intact=NAME, report=RULE, event={…} or console=TEXT',
      near,
    );
  }
  return { text, ...reader(value, names) };
}
