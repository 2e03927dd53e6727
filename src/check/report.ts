/** Reports of many results, for people (text), CI servers (JUnit) and kernel test tooling (KTAP). */

/** The result of one check. */
export interface Result {
  readonly name: string;
  readonly ok: boolean;
  /** What there is to say; '' for nothing. */
  readonly text: string;
}

/** A form of report. */
export type ReportForm = 'text' | 'junit' | 'ktap';

type Reporter = (results: readonly Result[]) => string;

const lines = (each: readonly string[]): string => each.map((line) => `${line}\n`).join('');
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
const textLines = (text: string): string[] => (text === '' ? [] : text.trimEnd().split('\n'));

const text: Reporter = (results) => {
  const failed = results.filter(({ ok }) => !ok).length;
  return lines([
    ...results.flatMap(({ name, ok, text: says }) => [
      `${ok ? 'ok    ' : 'FAILED'} ${oneLine(name)}`,
      ...(ok ? [] : textLines(says).map((line) => `  ${line}`)),
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

/** Text as XML 1.0 can hold it: section 2.2 has no place for most control characters and lone surrogates. */
function xml(raw: string): string {
  return raw
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (each) => ENTITIES[each] ?? each);
}

const junit: Reporter = (results) => {
  const failures = results.filter(({ ok }) => !ok).length;
  const suite = `name="sme-boot" tests="${results.length}" failures="${failures}"`;
  return lines([
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite ${suite}>`,
    ...results.flatMap(({ name, ok, text: says }) => {
      const open = `  <testcase name="${xml(oneLine(name))}" classname="sme-boot"`;
      if (ok) return [`${open}/>`];
      const [first = 'failed'] = textLines(says);
      return [
        `${open}>`,
        `    <failure message="${xml(oneLine(first))}">${xml(says)}</failure>`,
        '  </testcase>',
      ];
    }),
    '</testsuite>',
  ]);
};

// KTAP version 1 (kernel Documentation/dev-tools/ktap.rst): a plan, diagnostics before the result that they belong to.
const ktap: Reporter = (results) =>
  lines([
    'KTAP version 1',
    `1..${results.length}`,
    ...results.flatMap(({ name, ok, text: says }, index) => [
      ...(ok ? [] : textLines(says).map((line) => `# ${line}`)),
      // A # would begin a directive such as SKIP.
      `${ok ? 'ok' : 'not ok'} ${index + 1} ${oneLine(name).replaceAll('#', '_')}`,
    ]),
  ]);

const REPORTERS: Readonly<Record<ReportForm, Reporter>> = { text, junit, ktap };

/** The forms of report, as a flag names them. */
export const REPORT_FORMS = Object.keys(REPORTERS) as readonly ReportForm[];

/** The report of some results in a form. */
export function report(form: ReportForm, results: readonly Result[]): string {
  return REPORTERS[form](results);
}
