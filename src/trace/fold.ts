/**
 * Folds lines of a closed step that belong together into one.
 *
 * Re-encryption in place is recognized from its copies: a range read under one C-bit into a buffer and written
 * from that buffer to the same range under the other (APM 7.10.8). The two copies become one `encrypt` or `decrypt`.
 * Only the fields of the copies decide.
 */
import { isSpan, type EventInput, type Field, type FieldsOf, type Span } from './event.js';
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

/** The re-encryption that two copies make, if the second writes back what the first read. */
function reencryption(into: Run, out: Run): EventInput<'encrypt' | 'decrypt'> | undefined {
  const read = endsOf(into);
  const written = endsOf(out);
  if (read === undefined || written === undefined || into.path !== out.path) return undefined;
  const { fromC, toC: bufferC } = into.fields;
  const { toC, fromC: bufferReadC } = out.fields;
  const inPlace = sameSpan(read.from, written.to) && sameSpan(read.to, written.from);
  if (!inPlace || bufferC !== bufferReadC || !takesTurns(into, out)) return undefined;
  const kind =
    fromC === 0 && toC === 1 ? 'encrypt' : fromC === 1 && toC === 0 ? 'decrypt' : undefined;
  if (kind === undefined) return undefined;
  const via = into.fields.to ?? read.to;
  const { cpu } = into.fields;
  return { kind, fields: { pa: read.from, bytes: read.from.length, via, cpu } };
}

const textOf = (field: Field | undefined): string =>
  isSpan(field) ? `${field.space} ${field.start} ${field.length}` : String(field);

/** The result registers of CPUID. They may differ by CPU: Fn1 EBX holds the number of its local APIC. */
const RESULTS = ['eax', 'ebx', 'ecx', 'edx'] as const;
const isResult = (kind: Run['kind'], name: string): boolean =>
  kind === 'cpuid' && RESULTS.some((result) => result === name);

/** A run without its CPU and CPUID results, as text: equal where two CPUs did the same. */
function actionOf({ kind, fields, origin, at }: Run): string {
  const texts = Object.entries(fields).map(([name, field]) =>
    name === 'cpu' || isResult(kind, name) ? '' : `${name}=${textOf(field)}`,
  );
  return [kind, ...texts, origin.fn, origin.file, origin.patch, origin.hunk, at.length].join('|');
}

/** The CPUID results in which several CPUs differ: each CPU's value, in order of the CPUs. */
function resultsOf(runs: readonly Run[]): Partial<FieldsOf<'cpuid'>> {
  const [first] = runs;
  if (first?.kind !== 'cpuid') return {};
  const joined = RESULTS.flatMap((name) => {
    const values = runs.map(({ fields }) => textOf(fields[name]));
    return new Set(values).size > 1 ? [[name, values.join(',')] as const] : [];
  });
  return Object.fromEntries(joined);
}

/** CPU numbers as `1..3` if they are consecutive, otherwise as `1,3`. */
function listOf(cpus: readonly number[]): string {
  const [first = 0] = cpus;
  const consecutive = cpus.every((cpu, index) => cpu === first + index);
  return consecutive ? `${first}..${first + cpus.length - 1}` : cpus.join(',');
}

/** The runs of a closed step; CPUs whose runs are all the same share one set of lines, where the first CPU has them. */
export function foldCpus(runs: readonly Run[]): Run[] {
  const byCpu = new Map<number, Run[]>();
  for (const run of runs) {
    const { cpu } = run.fields;
    if (typeof cpu === 'number') byCpu.set(cpu, [...(byCpu.get(cpu) ?? []), run]);
  }
  const byActions = new Map<string, number[]>();
  for (const [cpu, list] of byCpu) {
    const actions = list.map(actionOf).join('\n');
    byActions.set(actions, [...(byActions.get(actions) ?? []), cpu]);
  }
  const groups = [...byActions.values()];
  const out: Run[] = [];
  for (const run of runs) {
    const { cpu } = run.fields;
    const group = typeof cpu === 'number' ? groups.find((cpus) => cpus.includes(cpu)) : undefined;
    if (typeof cpu !== 'number' || group === undefined || group.length === 1) out.push(run);
    else if (group[0] === cpu) {
      const index = byCpu.get(cpu)?.indexOf(run) ?? -1;
      const same = group.flatMap((other) => byCpu.get(other)?.[index] ?? []);
      out.push({ ...run, fields: { ...run.fields, ...resultsOf(same), cpu: listOf(group) } });
    }
  }
  return out;
}

/**
 * The runs of a closed step without redundant `enter` lines: a later line of the same function implies that it was
 * entered. An `enter` that has a `what`, or whose function has no later line, stays.
 */
export function foldEntries(runs: readonly Run[]): Run[] {
  const acting = new Set<string>();
  const out: Run[] = [];
  for (const run of [...runs].reverse()) {
    const { fn, file, patch, hunk } = run.origin;
    const who = [fn, file, patch, hunk, textOf(run.fields.cpu)].join(' ');
    const bare = run.kind === 'enter' && run.fields.fn === fn && run.fields.what === undefined;
    if (bare && acting.has(who)) continue;
    if (!bare) acting.add(who);
    out.push(run);
  }
  return out.reverse();
}

/** The runs of a closed step with each re-encryption in place as one run, where its first copy was. */
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
