/**
 * Re-encryption in place, seen in the copies that make it up: a range read under one C-bit into a buffer and written
 * from that buffer to the same range under the other (APM 7.10.8). The two copies become one `encrypt` or `decrypt`.
 * Nothing but the copies' own fields is asked.
 */
import { isSpan, type EventFields, type Span } from './event.js';
import type { Run } from './coalesce.js';

const sameSpan = (a: Span, b: Span): boolean =>
  a.space === b.space && a.start === b.start && a.length === b.length;

/** The physical spans of a copy. */
function endsOf(run: Run): { from: Span; to: Span } | undefined {
  const { fromPa, toPa } = run.fields;
  return run.kind === 'copy' && isSpan(fromPa) && isSpan(toPa)
    ? { from: fromPa, to: toPa }
    : undefined;
}

/** Whether each chunk was written back before the next one was read: in, out, in, out. */
function takesTurns(into: Run, out: Run): boolean {
  return (
    into.at.length === out.at.length &&
    into.at.every((when, index) => {
      const back = out.at[index];
      const next = into.at[index + 1];
      return back !== undefined && when < back && (next === undefined || back < next);
    })
  );
}

/** What two copies amount to, if the second brings back what the first took. */
function reencryption(into: Run, out: Run): Pick<Run, 'kind' | 'fields'> | undefined {
  const taken = endsOf(into);
  const brought = endsOf(out);
  if (taken === undefined || brought === undefined || into.path !== out.path) return undefined;
  const { fromC, toC: bufferC } = into.fields;
  const { toC, fromC: bufferReadC } = out.fields;
  const inPlace = sameSpan(taken.from, brought.to) && sameSpan(taken.to, brought.from);
  if (!inPlace || bufferC !== bufferReadC || !takesTurns(into, out)) return undefined;
  const kind =
    fromC === 0 && toC === 1 ? 'encrypt' : fromC === 1 && toC === 0 ? 'decrypt' : undefined;
  if (kind === undefined) return undefined;
  const via = into.fields.to ?? taken.to;
  const { cpu } = into.fields;
  const fields: EventFields = { pa: taken.from, bytes: taken.from.length, via, cpu };
  return { kind, fields };
}

/** The runs of a closed step with each pair of copies in place folded, at the place of the first. */
export function foldReencryption(runs: readonly Run[]): Run[] {
  const out: Run[] = [];
  const used = new Set<Run>();
  runs.forEach((run, index) => {
    if (used.has(run)) return;
    let folded = run;
    if (run.kind === 'copy') {
      for (const later of runs.slice(index + 1)) {
        const whole = used.has(later) ? undefined : reencryption(run, later);
        if (whole === undefined) continue;
        used.add(later);
        folded = { ...run, ...whole };
        break;
      }
    }
    out.push(folded);
  });
  return out;
}
