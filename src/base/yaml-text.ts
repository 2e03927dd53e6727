/** Writes a YAML document; unsafe characters of its texts are escaped, those of its comments too. */
import { visit, type Document } from 'yaml';
import { isPrintable, printableLines } from './printable.js';

/** Options of the `yaml` library for writing: long lines are not wrapped. */
export const WRITING = { lineWidth: 0, flowCollectionPadding: false, singleQuote: true } as const;

/** The text of a document. A scalar that has an unsafe character is double-quoted: only there YAML has escapes. */
export function yamlText(
  document: Document,
  options: Parameters<Document['toString']>[0] = WRITING,
): string {
  visit(document, {
    Scalar: (_key, node) => {
      const { value } = node;
      if (typeof value === 'string' && !isPrintable(value.replaceAll('\n', '')))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return printableLines(document.toString(options));
}
