/** The links of a matrix's page: the mail of each patch, and the kernel files of its rows. */
import type { MatrixLinks } from '../analysis/matrix/html.js';
import type { MatrixReport } from '../analysis/matrix/report.js';
import { DEFAULT_LINKS, linkOf } from './links.js';
import { linkOfFile } from './patch-card.js';
import { patchRecords } from './records.js';

/** The links that are known, of the patches and files of a report. */
export function matrixLinks({ rows }: MatrixReport): MatrixLinks {
  const known = (entries: readonly (readonly [string, string | undefined])[]) =>
    Object.fromEntries(
      entries.flatMap(([name, link]): [string, string][] =>
        link === undefined ? [] : [[name, link]],
      ),
    );
  return {
    mail: known(
      patchRecords().map(({ number, messageId, readInForm }) => {
        const id = messageId ?? readInForm;
        const link = id === undefined ? id : linkOf(DEFAULT_LINKS, 'lore', { messageId: id });
        return [String(number).padStart(2, '0'), link];
      }),
    ),
    source: known(
      [...new Set(rows.map(({ file }) => file))].map((file) => [
        file,
        linkOfFile(file, DEFAULT_LINKS),
      ]),
    ),
  };
}
