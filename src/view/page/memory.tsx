/** Bytes of a place through three views: on the bus, and as an access with C=0 or C=1 reads them. */
import type { LineRow, MemoryRows } from '../messages.js';
import { PlaceForm } from './place-form.js';
import { hex, rangeText, shown } from './format.js';
import type { ViewProps } from './map.js';
import { useAnswer } from './use-answer.js';

/** Bytes that are shown (our choice). */
const LENGTH = 256;
const ROW = 16;
const LINE = 64;

const VIEWS = ['dram', 'c0', 'c1'] as const;
type View = (typeof VIEWS)[number];
const NAMES: Readonly<Record<View, string>> = { dram: 'DRAM', c0: 'C=0', c1: 'C=1' };

const byte = (value: number): string => value.toString(16).padStart(2, '0');
const text = (bytes: readonly number[]): string =>
  bytes.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');

/** Physical addresses of the bytes, one each. */
const addresses = ({ ranges }: MemoryRows): number[] =>
  ranges.flatMap(({ base, size }) => Array.from({ length: size }, (_, i) => base + i));

const cut = (rows: MemoryRows, view: View, i: number): number[] => [
  ...rows[view].subarray(i * ROW, (i + 1) * ROW),
];

/** The views of 16 bytes, those with the same bytes together. */
function viewsOf(rows: MemoryRows, i: number): { views: View[]; bytes: number[] }[] {
  const found: { views: View[]; bytes: number[] }[] = [];
  for (const view of VIEWS) {
    const bytes = cut(rows, view, i);
    const same = found.find((each) => each.bytes.every((value, at) => value === bytes[at]));
    if (same === undefined) found.push({ views: [view], bytes });
    else same.views.push(view);
  }
  return found;
}

interface BytesProps {
  readonly bytes: readonly number[];
  readonly before: readonly number[] | undefined;
}

/** Sixteen bytes; those that the step changed are marked. */
function Bytes({ bytes, before }: BytesProps) {
  return (
    <td class="mono bytes">
      {bytes.map((value, i) => (
        <>
          <span class={before !== undefined && before[i] !== value ? 'changed' : ''}>
            {byte(value)}
          </span>
          {i === 7 ? '  ' : ' '}
        </>
      ))}
      <span class="text">{text(bytes)}</span>
    </td>
  );
}

interface RowsProps {
  readonly rows: MemoryRows;
  /** The same memory before the step; undefined: not known. */
  readonly before: MemoryRows | undefined;
}

/** Blocks that the last write of a line left as they were. */
const leftText = ({ key, left }: LineRow): string =>
  left.length === 0
    ? ''
    : `, which left ${left.length * ROW} bytes ${key === 0 ? 'as ciphertext' : 'in the clear'}`;

/** A line's last write, and its lines in the cache. */
function lineText(rows: MemoryRows, at: number): string {
  const start = at - (at % LINE);
  const line = rows.lines.find(({ pa }) => pa === start);
  const written =
    line?.key === undefined
      ? 'never written: noise'
      : `C=${line.key === 0 ? '0' : '1'} by ${line.writer ?? ''}${leftText(line)}`;
  const cached = rows.cached
    .filter(({ pa }) => Number(pa) === start)
    .map(
      ({ key, dirty, same }) =>
        `; cached C=${key === 0 ? '0' : '1'}${dirty ? ', dirty' : ''}${same ? '' : ', not what DRAM has'}`,
    );
  return shown(written + cached.join(''));
}

/** One line of memory: what is known of it, then its bytes. */
function Line({
  rows,
  before,
  starts,
}: RowsProps & { starts: readonly (readonly [number, number])[] }) {
  return (
    <tbody>
      <tr class="line">
        <th scope="rowgroup" colSpan={3}>
          {lineText(rows, starts[0]?.[0] ?? 0)}
        </th>
      </tr>
      {starts.flatMap(([at, i]) =>
        viewsOf(rows, i).map(({ views, bytes }, first) => (
          <tr data-views={views.join(' ')}>
            <th scope="row" class="mono">
              {first === 0 ? hex(at) : ''}
            </th>
            <td class="view">{views.map((view) => NAMES[view]).join(', ')}</td>
            <Bytes
              bytes={bytes}
              before={before === undefined ? undefined : cut(before, views[0] ?? 'dram', i)}
            />
          </tr>
        )),
      )}
    </tbody>
  );
}

function Rows({ rows, before }: RowsProps) {
  const starts = addresses(rows).flatMap((at, i) =>
    i % ROW === 0 ? [[at, i / ROW] as const] : [],
  );
  const lines = [...new Set(starts.map(([at]) => at - (at % LINE)))];
  const comparable = JSON.stringify(before?.ranges) === JSON.stringify(rows.ranges);
  return (
    <div class="scroll">
      <table id="bytes">
        <thead>
          <tr>
            <th scope="col">Physical</th>
            <th scope="col">Through</th>
            <th scope="col">Bytes</th>
          </tr>
        </thead>
        {lines.map((line) => (
          <Line
            rows={rows}
            before={comparable ? before : undefined}
            starts={starts.filter(([at]) => at - (at % LINE) === line)}
          />
        ))}
      </table>
    </div>
  );
}

export function Memory(props: ViewProps) {
  const { asker, label, place, boot } = props;
  const done = boot.steps.map((step) => step.label);
  const previous = done[done.indexOf(label) - 1];
  const key = `${props.key} ${place.place}`;
  const ask = (at: string) => ({ label: at, place: place.place, length: LENGTH });
  const before = useAnswer(
    asker,
    'memory',
    previous === undefined ? undefined : ask(previous),
    key,
  );
  const now = useAnswer(asker, 'memory', ask(label), key);
  const rows = now.value;
  return (
    <>
      <PlaceForm {...props} verb="Show" />
      {now.error !== undefined && (
        <p class="error" role="alert">
          {now.error}
        </p>
      )}
      {rows !== undefined && (
        <>
          <p class="soft">
            {rows.ranges.map(({ base, size }) => rangeText(base, size)).join(', ')}:{' '}
            {shown(rows.owners.join('; '))}. Bytes that the step changed are marked.
          </p>
          <Rows rows={rows} before={before.value} />
        </>
      )}
    </>
  );
}
