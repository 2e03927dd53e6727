/** Remarks in a scenario made from a log: what was read, what was guessed and why, what was not used. */
import { plain, type LogText } from './log-text.js';

/**
 * `note`: about the log as a whole; `read`: a value from the log; `guessed`: a value that the log does not have, with the
 * choice and the reason; `unused`: a fact in the log that the scenario does not use.
 */
export const REMARK_KINDS = ['note', 'read', 'guessed', 'unused'] as const;
export type RemarkKind = (typeof REMARK_KINDS)[number];

export interface Remark {
  readonly kind: RemarkKind;
  /** One line, without control characters. */
  readonly text: string;
}

type Unit = LogText['unit'];
export const plural = (unit: Unit): string => (unit === 'entry' ? 'entries' : 'lines');

/** Collects remarks. Values read from a line get its number. */
export class Remarks {
  readonly list: Remark[] = [];

  /** @param at line numbers by fact. @param unit what the numbers count. */
  constructor(
    private readonly at: ReadonlyMap<string, number> = new Map(),
    private readonly unit: Unit = 'line',
  ) {}

  note(text: string): void {
    this.add('note', text);
  }
  /** @param last the fact whose line is the last of several. */
  read(text: string, fact?: string, last?: string): void {
    this.add('read', text + this.place(fact, last));
  }
  guessed(text: string): void {
    this.add('guessed', text);
  }
  unused(text: string, line?: number): void {
    this.add('unused', line === undefined ? text : `${text} (${this.unit} ${String(line)})`);
  }

  private place(fact = '', last = ''): string {
    const from = this.at.get(fact);
    const to = this.at.get(last) ?? from;
    if (from === undefined || to === undefined) return '';
    return to === from
      ? ` (${this.unit} ${String(from)})`
      : ` (${plural(this.unit)} ${String(from)} to ${String(to)})`;
  }
  private add(kind: RemarkKind, text: string): void {
    this.list.push({ kind, text: plain(text) });
  }
}
