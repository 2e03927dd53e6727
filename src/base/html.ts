/** Text in pages of HTML. */
import { own } from './own.js';
import { oneLine, printableLines } from './printable.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const entities = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => own(ENTITIES, character) ?? '');

/** A text on one line, escaped for an element or a quoted attribute. */
export const htmlText = (text: string): string => entities(oneLine(text));

/** Lines, escaped for an element that preserves them. */
export const htmlLines = (text: string): string => entities(printableLines(text));
