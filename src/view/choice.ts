/** What the viewer boots, as data and as the fragment of its address: a link opens the same view. */

import { IMAGE_ENTRIES, type ImageEntry } from '../trace/vocabulary.js';

/** What the model's kernel is made of. */
export interface HunkChoice {
  /** Patches 1 to this one are applied. */
  readonly stage: number;
  /** Patch 18 is put on top of the stage. */
  readonly activate: boolean;
  /** Hunks and patches that are left out, by id. */
  readonly without: readonly string[];
  /** Hunks left out are replaced by stubs. */
  readonly stub: boolean;
  /** Alternatives, by id. */
  readonly with: readonly string[];
}

/** A boot: the scenario by name, what runs on its machine, and values of the scenario that are changed. */
export interface Choice extends HunkChoice {
  readonly scenario: string;
  /** The image's own instructions are executed, instead of the model. */
  readonly execute: boolean;
  /** Where an executed boot enters the image. */
  readonly entry: ImageEntry;
  /** The function whose return ends an executed boot; '': it runs to its end. */
  readonly until: string;
  /** The most instructions of an executed boot; 0: any number. */
  readonly most: number;
  /** Changed values of the scenario, in the form of `--set`: `machine.ram=4GiB`, `cmdline="mem_encrypt=off"`. */
  readonly set: readonly string[];
}

/** The parts of the page that show one thing each. */
export const PANELS = [
  'events',
  'memory',
  'walk',
  'tables',
  'cpus',
  'screen',
  'reads',
  'reports',
  'exposure',
  'difference',
] as const;
export type Panel = (typeof PANELS)[number];

/** What the page shows of a boot. */
export interface Place {
  /** The label of the step; undefined: the last one that ran. */
  readonly at?: string | undefined;
  readonly panel: Panel;
  /** Memory whose bytes are shown, or that is walked: an address, symbol or region. */
  readonly place: string;
  /** The first byte and the size of the map's window; undefined: where the kernel is. */
  readonly map?: { readonly base: number; readonly size: number } | undefined;
  readonly layer: string;
  /** The filter of the events. */
  readonly filter: string;
}

/** Everything that the address states. */
export interface Address {
  readonly choice: Choice;
  readonly place: Place;
}

const names = (text: string): string[] => text.split(',').filter((name) => name !== '');

const isPanel = (text: string): text is Panel => PANELS.some((each) => each === text);

/** `0x1000000+0x2000000`: the window of the map. */
function windowOf(text: string): { base: number; size: number } | undefined {
  const [, base, size] = /^(0x[0-9a-f]{1,13})\+(0x[0-9a-f]{1,13})$/.exec(text) ?? [];
  return base === undefined || size === undefined
    ? undefined
    : { base: Number(base), size: Number(size) };
}

/** The fragment of an address, without `#`; values that are those of `initial` are left out. */
export function fragmentOf({ choice, place }: Address, initial: Address): string {
  const out = new URLSearchParams();
  const put = (name: string, value: string, before: string): void => {
    if (value !== before) out.set(name, value);
  };
  const { choice: first, place: start } = initial;
  put('scenario', choice.scenario, first.scenario);
  put('execute', choice.execute ? '1' : '0', first.execute ? '1' : '0');
  put('entry', choice.entry, first.entry);
  put('until', choice.until, first.until);
  put('most', String(choice.most), String(first.most));
  put('stage', String(choice.stage), String(first.stage));
  put('activate', choice.activate ? '1' : '0', first.activate ? '1' : '0');
  put('without', choice.without.join(','), first.without.join(','));
  put('stub', choice.stub ? '1' : '0', first.stub ? '1' : '0');
  put('with', choice.with.join(','), first.with.join(','));
  put('set', JSON.stringify(choice.set), JSON.stringify(first.set));
  put('at', place.at ?? '', start.at ?? '');
  put('panel', place.panel, start.panel);
  put('place', place.place, start.place);
  put('layer', place.layer, start.layer);
  put('filter', place.filter, start.filter);
  const { map } = place;
  if (map !== undefined) out.set('map', `0x${map.base.toString(16)}+0x${map.size.toString(16)}`);
  return out.toString();
}

/** The texts of a JSON list; undefined if it is none. */
function listOf(text: string): readonly string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const isText = (each: unknown): each is string => typeof each === 'string';
  return Array.isArray(value) && value.every(isText) ? value : undefined;
}

/**
 * What a fragment states; what it leaves out is that of `initial`. A value that cannot be read is told in `unread`, by its
 * name.
 */
export function addressOf(
  fragment: string,
  initial: Address,
  lastStage: number,
): Address & { readonly unread: readonly string[] } {
  const given = new URLSearchParams(fragment);
  const { choice: first, place: start } = initial;
  const unread: string[] = [];
  const take = <T>(name: string, before: T, read: (text: string) => T | undefined): T => {
    const text = given.get(name);
    if (text === null) return before;
    const value = read(text);
    if (value === undefined) unread.push(name);
    return value ?? before;
  };
  const flag = (text: string): boolean | undefined =>
    /^[01]$/.test(text) ? text === '1' : undefined;
  const stage = (text: string): number | undefined =>
    /^\d{1,3}$/.test(text) && Number(text) <= lastStage ? Number(text) : undefined;
  const choice: Choice = {
    scenario: take('scenario', first.scenario, (text) => text),
    execute: take('execute', first.execute, flag),
    entry: take('entry', first.entry, (text) => IMAGE_ENTRIES.find((each) => each === text)),
    until: take('until', first.until, (text) => text),
    most: take('most', first.most, (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined)),
    stage: take('stage', first.stage, stage),
    activate: take('activate', first.activate, flag),
    without: take('without', first.without, names),
    stub: take('stub', first.stub, flag),
    with: take('with', first.with, names),
    set: take('set', first.set, listOf),
  };
  const place: Place = {
    at: take('at', start.at ?? '', (text) => text) || undefined,
    panel: take<Panel>('panel', start.panel, (text) => (isPanel(text) ? text : undefined)),
    place: take('place', start.place, (text) => text),
    map: take('map', start.map, windowOf),
    layer: take('layer', start.layer, (text) => text),
    filter: take('filter', start.filter, (text) => text),
  };
  const known = [...Object.keys(choice), ...Object.keys(place)];
  const others = [...given.keys()].filter((name) => !known.includes(name));
  return { choice, place, unread: [...unread, ...others] };
}
