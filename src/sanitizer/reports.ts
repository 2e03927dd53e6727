/** Collects reports: those of one rule, place in the code and cause are one report with a count. */
import { reportInOrder, type SanitizerReport } from '../trace/report.js';
import type { Site, SanitizerHost } from './host.js';
import type { RuleId } from './rules.js';
import type { Writer } from './writers.js';

/** What a rule has found: physical ranges in bytes. */
export interface Found {
  readonly rule: RuleId;
  /** The code or device that did the access. */
  readonly site: Site;
  readonly cpu?: number | undefined;
  readonly start: number;
  readonly length: number;
  readonly va?: number | undefined;
  readonly C?: 0 | 1;
  readonly what: string;
  readonly earlier?: { readonly what: string; readonly writer: Writer } | undefined;
  readonly outcome: SanitizerReport['outcome'];
}

interface Folded {
  readonly found: Found;
  readonly step: string;
  /** The end of the first range, which grows while ranges adjoin, and that of its virtual range. */
  end: number;
  vaEnd: number;
  /** The events that have it, and the number of the last one. */
  n: number;
  event: number;
  outcome: SanitizerReport['outcome'];
}

export type ReportsSnapshot = readonly (readonly [string, Folded])[];

const SEVERITY: readonly SanitizerReport['outcome'][] = [
  'nothing yet',
  'garbage consumed',
  'data lost',
];

/** A range as text, also if it is one byte: other readers of YAML take a single address for a number. */
const asRange = (text: string): string => (/^0x[0-9a-f]+$/.test(text) ? `${text}..${text}` : text);

export class Reports {
  private folded = new Map<string, Folded>();
  /** What was found last, and the report that it folded into. */
  private last: { readonly found: Found; readonly folded: Folded } | null = null;
  /** The number of the machine's present event. */
  private event = 0;

  constructor(private readonly host: SanitizerHost) {}

  /** The next event: the parts of a range that it has are one. */
  begin(): void {
    this.event++;
  }

  add(found: Found): void {
    const folded = this.lastLike(found) ?? this.foldedOf(found);
    this.last = { found, folded };
    if (folded.event !== this.event) folded.n++;
    folded.event = this.event;
    if (found.start === folded.end) {
      folded.end = found.start + found.length;
      if (found.va === folded.vaEnd) folded.vaEnd = found.va + found.length;
    }
    if (SEVERITY.indexOf(found.outcome) > SEVERITY.indexOf(folded.outcome)) {
      folded.outcome = found.outcome;
    }
  }

  /** The report that the one before folded into, if this one does too, as most do. */
  private lastLike({ rule, site, cpu, C, what, earlier }: Found): Folded | null {
    if (this.last === null) return null;
    const { found, folded } = this.last;
    const same =
      rule === found.rule &&
      site === found.site &&
      cpu === found.cpu &&
      C === found.C &&
      what === found.what &&
      earlier?.what === found.earlier?.what &&
      earlier?.writer === found.earlier?.writer;
    return same ? folded : null;
  }

  /** The report that a new one folds into: a new one with n = 0 if there is none. */
  private foldedOf(found: Found): Folded {
    const { rule, site, cpu, C, what, earlier } = found;
    const by = earlier?.writer;
    const id = JSON.stringify([
      ...[rule, site.in, site.hunk, cpu, C, what],
      ...[earlier?.what, by?.site.in, by?.site.hunk, by?.key],
    ]);
    const known = this.folded.get(id);
    if (known !== undefined) return known;
    const { start, length, va = Number.NaN, outcome } = found;
    const folded = {
      ...{ found, step: this.host.step(), outcome },
      ...{ end: start + length, vaEnd: va + length, n: 0, event: -1 },
    };
    this.folded.set(id, folded);
    return folded;
  }

  /** All reports, in the order of the first of each. */
  list(): SanitizerReport[] {
    return [...this.folded.values()].map((each) => this.render(each));
  }

  private render({ found, step, end, vaEnd, n, outcome }: Folded): SanitizerReport {
    const { rule, site, cpu, start, va, C, what, earlier } = found;
    const { host } = this;
    return reportInOrder({
      rule,
      ...(n > 1 && { n }),
      step,
      at: asRange(host.rangeText('pa', start, end - start)),
      ...(va !== undefined && { va: asRange(host.rangeText('va', va, vaEnd - va)) }),
      ...(C !== undefined && { C }),
      ...site,
      ...(cpu !== undefined && cpu !== 0 && { cpu }),
      what,
      ...(earlier !== undefined && {
        earlier: {
          what: earlier.what,
          ...earlier.writer.site,
          step: earlier.writer.step,
          C: earlier.writer.key === 0 ? 0 : 1,
        },
      }),
      outcome,
    });
  }

  snapshot(): ReportsSnapshot {
    return [...this.folded].map(([id, each]) => [id, { ...each, event: -1 }] as const);
  }

  restore(snapshot: ReportsSnapshot): void {
    this.folded = new Map(snapshot.map(([id, each]) => [id, { ...each }]));
    this.last = null;
  }
}
