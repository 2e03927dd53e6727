/** The parts of the machine's state that `sme-boot inspect` prints. */
import type { Comparable } from '../inspect/difference.js';

/** One part of an output: as text and as JSON. */
export interface Part {
  /** Its key in JSON; views of one name are a list there. */
  readonly name: string;
  /** The heading where several views of one name are printed. */
  readonly heading?: string;
  readonly data: unknown;
  /** Fits into `columns` columns; undefined: any number. */
  readonly text: (columns?: number) => string;
}

/** One part of the machine's state, as `sme-boot inspect` prints it. */
export interface View extends Part {
  /** What is compared between two labels. To be called at the label. */
  readonly compared: () => Comparable;
}

/** The data of views by name: a list where several have one name. */
export function dataOf(views: readonly Part[]): Record<string, unknown> {
  const named = new Map<string, unknown[]>();
  for (const { name, data } of views) named.set(name, [...(named.get(name) ?? []), data]);
  return Object.fromEntries([...named].map(([name, all]) => [name, all.length > 1 ? all : all[0]]));
}

/** The text of views, an empty line between them. */
export function textOf(views: readonly Part[], columns?: number): string {
  const several = (name: string): boolean => views.filter((view) => view.name === name).length > 1;
  return views
    .map(({ name, heading, text }) =>
      heading !== undefined && several(name) ? `${heading}\n${text(columns)}` : text(columns),
    )
    .join('\n');
}

/** A number of things: `1 line`, `2 lines`. */
export const counted = (count: number, noun: string): string =>
  `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
