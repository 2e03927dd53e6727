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
  /** The end of the first range, which grows while ranges adjoin. */
  end: number;
  n: number;
  outcome: SanitizerReport['outcome'];
}

export type ReportsSnapshot = readonly (readonly [string, Folded])[];

const SEVERITY: readonly SanitizerReport['outcome'][] = [
  'nothing yet',
  'garbage consumed',
  'data lost',
];

export class Reports {
  private folded = new Map<string, Folded>();

  constructor(private readonly host: SanitizerHost) {}

  add(found: Found): void {
    const { rule, site, cpu, C, what, earlier } = found;
    const by = earlier?.writer;
    const id = JSON.stringify([
      ...[rule, site.in, site.hunk, cpu, C, what],
      ...[earlier?.what, by?.site.in, by?.site.hunk, by?.key],
    ]);
    const end = found.start + found.length;
    const known = this.folded.get(id);
    if (known === undefined) {
      const { outcome } = found;
      this.folded.set(id, { found, step: this.host.step(), end, n: 1, outcome });
      return;
    }
    if (found.start === known.end) known.end = end;
    known.n++;
    if (SEVERITY.indexOf(found.outcome) > SEVERITY.indexOf(known.outcome)) {
      known.outcome = found.outcome;
    }
  }

  /** All reports, in the order of the first of each. */
  list(): SanitizerReport[] {
    return [...this.folded.values()].map((each) => this.render(each));
  }

  private render({ found, step, end, n, outcome }: Folded): SanitizerReport {
    const { rule, site, cpu, start, length, va, C, what, earlier } = found;
    const { host } = this;
    return reportInOrder({
      rule,
      ...(n > 1 && { n }),
      step,
      at: host.rangeText('pa', start, end - start),
      ...(va !== undefined && { va: host.rangeText('va', va, length) }),
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
    return [...this.folded].map(([id, each]) => [id, { ...each }] as const);
  }

  restore(snapshot: ReportsSnapshot): void {
    this.folded = new Map(snapshot.map(([id, each]) => [id, { ...each }]));
  }
}
