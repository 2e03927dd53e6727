/** Texts shared by all formats of a matrix. The page's script uses this file too: its imports must run there. */
import type { MatrixReport, MatrixRow, MatrixScenario } from './report.js';

export { oneLine } from '../../base/printable.js';

export type MatrixOutcome = MatrixRow['outcome'];
export type OutcomeKind = MatrixOutcome['kind'];

/** The kinds of outcome by severity: the order in which they are counted and sorted. */
export const OUTCOME_ORDER: Readonly<Record<OutcomeKind, number>> = {
  booted: 0,
  hung: 1,
  panic: 2,
  'triple-fault': 3,
};

/** `panic in mount_root: VFS: Unable to mount root fs`. */
export function outcomeText({ kind, where, message }: MatrixOutcome): string {
  const place = where === undefined ? kind : `${kind} in ${where}`;
  return message === undefined ? place : `${place}: ${message}`;
}

/** An access to a line: `unpack_to_rootfs (C=1)`; '' if the origin is not known. */
export function accessText(origin: string | undefined, c: number | undefined): string {
  if (origin === undefined) return '';
  return c === undefined ? origin : `${origin} (C=${c})`;
}

/** The writer of the first wrong line. */
export function writerText({ wrong }: MatrixRow): string {
  return accessText(wrong?.writer, wrong?.writeC);
}

/** The reader of the first wrong line. */
export function readerText({ wrong }: MatrixRow): string {
  return accessText(wrong?.reader, wrong?.readC);
}

/** The name of the first wrong read; without one, other changes in what was read. */
export function wrongText({ wrong, lost, gained }: MatrixRow): string {
  if (wrong !== undefined) return wrong.name;
  if (lost.length > 0) return `not read: ${some(lost)}`;
  return gained.length > 0 ? `now intact: ${some(gained)}` : '';
}

/** The name of the first wrong read alone. */
export const wrongName = ({ wrong }: MatrixRow): string => wrong?.name ?? '';

/** The cause; without a wrong read also the other changes in what was read. */
export function causeAndReads(row: MatrixRow): string {
  const others = row.wrong === undefined ? wrongText(row) : '';
  return others === '' ? causeText(row) : `${causeText(row)}; ${others}`;
}

/** Most names in a cell (our choice). */
const NAMES = 4;

const some = (names: readonly string[]): string =>
  names.length <= NAMES + 1
    ? names.join(', ')
    : `${names.slice(0, NAMES).join(', ')} and ${String(names.length - NAMES)} more`;

/** The reports of the sanitizer that came, went or changed; '' if none did. */
export function reportsText({ reports = [] }: MatrixRow): string {
  return reports
    .map(({ rule, added, gone, changed, at }) => {
      const signs = [
        ...(added === undefined ? [] : [`+${added}`]),
        ...(gone === undefined ? [] : [`-${gone}`]),
        ...(changed === undefined ? [] : [`~${changed}`]),
      ];
      return `${rule} ${signs.join(' ')} (${some(at)})`;
    })
    .join(', ');
}

/** The cause, followed by the reports that came and went. */
export function causeText(row: MatrixRow): string {
  const reports = reportsText(row);
  return reports === '' ? row.cause : `${row.cause}; reports: ${reports}`;
}

/** The patch number in a row's hunk id: `09`; '' if there is none. */
export function patchText({ hunk }: MatrixRow): string {
  return /^\d+(?=\/)/.exec(hunk)?.[0] ?? '';
}

/** What hunks are left out of: `rfc-v1`, `rfc-v1 with own hunks 20/fix`. */
export function subjectOf({ series, ownHunks = [] }: MatrixReport): string {
  const ids = ownHunks.flatMap(({ hunks }) => hunks);
  return ids.length === 0 ? series : `${series} with own hunks ${ids.join(', ')}`;
}

/** The result of the whole series in a scenario: `booted; read as garbage: option ROM`. */
export function wholeText({ outcome, garbage }: MatrixScenario): string {
  const read = garbage.length === 0 ? 'all read intact' : `read as garbage: ${garbage.join(', ')}`;
  return `${outcomeText(outcome)}; ${read}`;
}

/** Number of rows, of rows that differ from the whole series, and the outcomes of those. */
export interface MatrixTotals {
  readonly rows: number;
  readonly differing: number;
  /** Outcomes of the differing rows with their counts; only kinds that occur, by severity. */
  readonly ends: readonly (readonly [OutcomeKind, number])[];
}

/** Counts rows. */
export function totalsOf(rows: readonly MatrixRow[]): MatrixTotals {
  const ends = new Map<OutcomeKind, number>();
  const differing = rows.filter((row) => !row.same);
  for (const { outcome } of differing) ends.set(outcome.kind, (ends.get(outcome.kind) ?? 0) + 1);
  return {
    rows: rows.length,
    differing: differing.length,
    ends: [...ends].sort(([a], [b]) => OUTCOME_ORDER[a] - OUTCOME_ORDER[b]),
  };
}

/** `1 row`, `104 rows`. */
export const rowsText = (count: number): string => (count === 1 ? '1 row' : `${count} rows`);

/** `104 rows, 61 differ from the whole series (32 booted, 29 panic)`. */
export function totalsText({ rows, differing, ends }: MatrixTotals): string {
  const differ = differing === 1 ? '1 differs' : `${differing === 0 ? 'none' : differing} differ`;
  const how = ends.map(([kind, count]) => `${count} ${kind}`).join(', ');
  return `${rowsText(rows)}, ${differ} from the whole series${how === '' ? '' : ` (${how})`}`;
}

/** The rows of each scenario, in the report's order. */
export function byScenario(report: MatrixReport): [MatrixScenario, MatrixRow[]][] {
  return report.scenarios.map((scenario) => [
    scenario,
    report.rows.filter((row) => row.scenario === scenario.name),
  ]);
}
