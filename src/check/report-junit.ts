/** JUnit's XML, as CI servers read it: a case per file, whose headline is its first failure. */
import { own } from '../base/own.js';
import { oneLine } from '../base/printable.js';
import { failedLines, headlineOf, isFine, withEnds, type Reporter } from './result.js';

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

/** A file that cannot be read is an `error`, one that differs a `failure`. */
export const junit: Reporter = (results) => {
  const count = (status: string): number =>
    results.filter((result) => result.status === status).length;
  const counts = [
    `tests="${results.length}"`,
    `failures="${count('failed')}"`,
    `errors="${count('invalid')}"`,
    `skipped="${count('skipped')}"`,
  ];
  return withEnds([
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="sme-boot" ${counts.join(' ')}>`,
    ...results.flatMap((result) => {
      const { name, group, status, note = '' } = result;
      const classname = ['sme-boot', ...group].join('.');
      const open = `  <testcase name="${xml(oneLine(name))}" classname="${xml(oneLine(classname))}"`;
      if (status === 'skipped') {
        return [`${open}>`, `    <skipped message="${xml(oneLine(note))}"/>`, '  </testcase>'];
      }
      if (isFine(result)) return [`${open}/>`];
      const element = status === 'invalid' ? 'error' : 'failure';
      const body = xml(withEnds(failedLines(result)));
      return [
        `${open}>`,
        `    <${element} message="${xml(headlineOf(result))}">${body}</${element}>`,
        '  </testcase>',
      ];
    }),
    '</testsuite>',
  ]);
};
