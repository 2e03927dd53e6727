/** Reports of many results: text for a terminal, JUnit for CI servers, KTAP for kernel test tooling. */
import { own } from '../base/own.js';

import { oneLine, printableColoured } from '../base/printable.js';

/** The result of one check. */
export interface Result {
  readonly name: string;
  readonly ok: boolean;
  /** The details, printed if it failed; '' for none. */
  readonly text: string;
}

/** A format of a report. */
export type ReportForm = 'text' | 'junit' | 'ktap';

type Reporter = (results: readonly Result[]) => string;

const lines = (each: readonly string[]): string => each.map((line) => `${line}\n`).join('');
const textLines = (text: string): string[] =>
  text === '' ? [] : printableColoured(text.trimEnd()).split('\n');

const text: Reporter = (results) => {
  const failed = results.filter(({ ok }) => !ok).length;
  return lines([
    ...results.flatMap(({ name, ok, text: detail }) => [
      `${ok ? 'ok    ' : 'FAILED'} ${oneLine(name)}`,
      ...(ok ? [] : textLines(detail).map((line) => `  ${line}`)),
    ]),
    `${results.length - failed} of ${results.length} ok`,
  ]);
};

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** A character reference: XML 1.0 allows the character itself, a terminal does not. */
const reference = (character: string): string => `&#x${character.charCodeAt(0).toString(16)};`;

/** Text escaped for XML 1.0; U+FFFD for control characters and lone surrogates, which section 2.2 excludes. */
function xml(raw: string): string {
  return raw
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (each) => own(ENTITIES, each) ?? each)
    .replace(/[\u007f-\u009f\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu, reference);
}

const junit: Reporter = (results) => {
  const failures = results.filter(({ ok }) => !ok).length;
  const suite = `name="sme-boot" tests="${results.length}" failures="${failures}"`;
  return lines([
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite ${suite}>`,
    ...results.flatMap(({ name, ok, text: detail }) => {
      const open = `  <testcase name="${xml(oneLine(name))}" classname="sme-boot"`;
      if (ok) return [`${open}/>`];
      const [first = 'failed'] = textLines(detail);
      return [
        `${open}>`,
        `    <failure message="${xml(oneLine(first))}">${xml(detail)}</failure>`,
        '  </testcase>',
      ];
    }),
    '</testsuite>',
  ]);
};

// KTAP version 1 (kernel Documentation/dev-tools/ktap.rst): a plan, and the diagnostics of a result before it.
const ktap: Reporter = (results) =>
  lines([
    'KTAP version 1',
    `1..${results.length}`,
    ...results.flatMap(({ name, ok, text: detail }, index) => [
      ...(ok ? [] : textLines(detail).map((line) => `# ${line}`)),
      // A # in the name would begin a directive such as SKIP.
      `${ok ? 'ok' : 'not ok'} ${index + 1} ${oneLine(name).replaceAll('#', '_')}`,
    ]),
  ]);

const REPORTERS: Readonly<Record<ReportForm, Reporter>> = { text, junit, ktap };

/** The report formats, by the name of the flag. */
export const REPORT_FORMS = Object.keys(REPORTERS) as readonly ReportForm[];

/** The report of `results` in a format. */
export function report(form: ReportForm, results: readonly Result[]): string {
  return REPORTERS[form](results);
}
