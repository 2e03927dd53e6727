/**
 * What the lines of a closed step amount to together.
 *
 * Re-encryption in place, seen in the copies that make it up: a range read under one C-bit into a buffer and written
 * from that buffer to the same range under the other (APM 7.10.8). The two copies become one `encrypt` or `decrypt`.
 * Nothing but the copies' own fields is asked.
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

/** What two copies amount to, if the second brings back what the first took. */
function reencryption(into: Run, out: Run): EventInput<'encrypt' | 'decrypt'> | undefined {
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
  return { kind, fields: { pa: taken.from, bytes: taken.from.length, via, cpu } };
}

const textOf = (field: Field | undefined): string =>
  isSpan(field) ? `${field.space} ${field.start} ${field.length}` : String(field);

/** What CPUID answers. Each CPU has its own: Fn1 EBX holds the number of its local APIC. */
const ANSWERS = ['eax', 'ebx', 'ecx', 'edx'] as const;
const isAnswer = (kind: Run['kind'], name: string): boolean =>
  kind === 'cpuid' && ANSWERS.some((answer) => answer === name);

/** A run without its CPU and what that answered of itself, as text: equal where two CPUs did the same. */
function deedOf({ kind, fields, origin, at }: Run): string {
  const texts = Object.entries(fields).map(([name, field]) =>
    name === 'cpu' || isAnswer(kind, name) ? '' : `${name}=${textOf(field)}`,
  );
  return [kind, ...texts, origin.fn, origin.file, origin.patch, origin.hunk, at.length].join('|');
}

/** The answers of several CPUs to one question: the common one, or each CPU's in their order. */
function answersOf(runs: readonly Run[]): Partial<FieldsOf<'cpuid'>> {
  const [first] = runs;
  if (first?.kind !== 'cpuid') return {};
  const joined = ANSWERS.flatMap((name) => {
    const values = runs.map(({ fields }) => textOf(fields[name]));
    return new Set(values).size > 1 ? [[name, values.join(',')] as const] : [];
  });
  return Object.fromEntries(joined);
}

/** Numbers as `1..3`, or one by one where they do not follow one another. */
function listOf(cpus: readonly number[]): string {
  const [first = 0] = cpus;
  const inRow = cpus.every((cpu, index) => cpu === first + index);
  return inRow ? `${first}..${first + cpus.length - 1}` : cpus.join(',');
}

/** The runs of a closed step, with what several CPUs did line for line alike told once, where the first did it. */
export function foldCpus(runs: readonly Run[]): Run[] {
  const byCpu = new Map<number, Run[]>();
  for (const run of runs) {
    const { cpu } = run.fields;
    if (typeof cpu === 'number') byCpu.set(cpu, [...(byCpu.get(cpu) ?? []), run]);
  }
  const alike = new Map<string, number[]>();
  for (const [cpu, list] of byCpu) {
    const all = list.map(deedOf).join('\n');
    alike.set(all, [...(alike.get(all) ?? []), cpu]);
  }
  const groups = [...alike.values()];
  const out: Run[] = [];
  for (const run of runs) {
    const { cpu } = run.fields;
    const group = typeof cpu === 'number' ? groups.find((cpus) => cpus.includes(cpu)) : undefined;
    if (typeof cpu !== 'number' || group === undefined || group.length === 1) out.push(run);
    else if (group[0] === cpu) {
      const index = byCpu.get(cpu)?.indexOf(run) ?? -1;
      const same = group.flatMap((other) => byCpu.get(other)?.[index] ?? []);
      out.push({ ...run, fields: { ...run.fields, ...answersOf(same), cpu: listOf(group) } });
    }
  }
  return out;
}

/**
 * The runs of a closed step without the entries of functions that a later line of the step names anyway: what a function
 * does says that it was entered. One that says more, or whose function has no other line, stays.
 */
export function foldEntries(runs: readonly Run[]): Run[] {
  const acts = new Set<string>();
  const kept: Run[] = [];
  for (const run of [...runs].reverse()) {
    const { fn, file, patch, hunk } = run.origin;
    const who = [fn, file, patch, hunk, textOf(run.fields.cpu)].join(' ');
    const bare = run.kind === 'enter' && run.fields.fn === fn && run.fields.what === undefined;
    if (bare && acts.has(who)) continue;
    if (!bare) acts.add(who);
    kept.push(run);
  }
  return kept.reverse();
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
