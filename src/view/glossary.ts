/** The terms of docs/glossary.md. */

/** A term with its meaning, as text. */
export type GlossaryEntry = readonly [term: string, meaning: string];

/** Text without the marks of Markdown for code and emphasis. */
const plain = (text: string): string => text.replaceAll('`', '').replaceAll('**', '').trim();

/** The entries: list items that begin with a term in bold, `- **C-bit**. The bit of a page-table entry…`. */
export function glossaryOf(markdown: string): GlossaryEntry[] {
  const items = markdown.split(/^- /m).slice(1);
  return items.flatMap((item): GlossaryEntry[] => {
    const [text = ''] = item.split(/\n(?:\n|#)/);
    const [, term, rest] = /^\*\*(.+?)\*\*[.,:]?\s*([\s\S]*)$/.exec(text) ?? [];
    if (term === undefined || rest === undefined) return [];
    return [[plain(term), plain(rest.replace(/\s+/g, ' '))]];
  });
}
