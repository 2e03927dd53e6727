/** The difference between two labels, as `sme-boot inspect --at A --at B` prints it. */
import { InputError } from '../base/errors.js';
import { changesOf, type Change, type Comparable } from '../inspect/difference.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import { counted, type View } from './inspect-view.js';

/** A view at one label, as far as it is compared. */
interface Compared {
  readonly name: string;
  readonly heading?: string;
  readonly state: Comparable;
  /** The place does not exist, or is not mapped, at the label. */
  readonly absent?: InputError;
}

/** The differences of a view. */
export interface ViewChanges {
  readonly view: string;
  /** The place that it shows. */
  readonly of?: string;
  readonly changes: readonly Change[];
}

/** What makes a view: its name and heading are known before. */
export interface Asked {
  readonly name: string;
  readonly heading?: string;
  readonly make: () => View;
}

const ABSENT = ['E_NOT_MAPPED', 'E_PLACE'];

/** The state of views at a label. */
export function stateOf(asked: readonly Asked[]): Compared[] {
  return asked.map(({ name, heading, make }) => {
    const head = { name, ...(heading !== undefined && { heading }) };
    try {
      return { ...head, state: make().compared() };
    } catch (error) {
      if (!(error instanceof InputError) || !ABSENT.includes(error.code)) throw error;
      const facts = [{ name: 'place', value: error.message }];
      return { ...head, state: { facts }, absent: error };
    }
  });
}

/** The differences of views between two labels. Throws the error of a place that is at neither of them. */
export function differencesOf(
  before: readonly Compared[],
  after: readonly Compared[],
): ViewChanges[] {
  return before.flatMap((then, i) => {
    const now = after[i];
    if (now === undefined) return [];
    if (then.absent !== undefined && now.absent !== undefined) throw now.absent;
    const { name, heading } = now;
    const changes = changesOf(then.state, now.state);
    return [{ view: name, ...(heading !== undefined && { of: heading }), changes }];
  });
}

/** Columns of a line that has both values (our choice). */
const LINE = 76;

function changeText({ what, before, after }: Change, columns: number): string[] {
  const by =
    typeof before === 'number' && typeof after === 'number'
      ? ` (${after > before ? '+' : ''}${String(after - before)})`
      : '';
  const both = `  ${what}  ${String(before)} → ${String(after)}${by}`;
  const one =
    before === undefined ? `  + ${what}  ${String(after)}` : `  - ${what}  ${String(before)}`;
  const line = before === undefined || after === undefined ? one : both;
  if (line.length <= columns) return [line];
  return [
    `  ${what}`,
    ...(before === undefined ? [] : [`    - ${String(before)}`]),
    ...(after === undefined ? [] : [`    + ${String(after)}`]),
  ];
}

/** The differences as text: what was before has a minus, what is after it a plus. */
export function differenceText(
  [from, to]: readonly [string, string],
  views: readonly ViewChanges[],
  columns = LINE,
): string {
  const parts = views.map(({ view, of, changes }) => {
    const count = changes.length === 0 ? 'no difference' : counted(changes.length, 'difference');
    const head = `${of === undefined ? view : `${view} ${of}`}: ${count}`;
    const lines = changes.flatMap((change) => changeText(change, Math.min(columns, LINE)));
    return `${[head, ...lines].join('\n')}\n`;
  });
  return `${from} → ${to}\n\n${parts.join('\n')}`;
}

/** Throws E_LABEL for an unknown label, E_USAGE for more than two, or two that are not in the order of the boot. */
export function checkLabels(boot: InspectedBoot, at: readonly string[]): void {
  const [first, second] = at.map((label) => boot.indexOf(label));
  const refuse = (reason: string, expected: string): never => {
    throw new InputError({ code: 'E_USAGE', reason, expected, found: at.join(' and ') });
  };
  if (at.length > 2) refuse('too many labels', 'one label, or two to compare');
  if (at.length === 2 && at[0] === at[1]) {
    refuse('the two labels are the same', 'two labels to compare');
  }
  if (first === undefined || second === undefined || first < second) return;
  refuse(
    'the labels are not in the order of the boot',
    `--at ${String(at[1])} --at ${String(at[0])}`,
  );
}
