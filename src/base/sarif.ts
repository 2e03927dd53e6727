/** Parts of SARIF 2.1.0 (OASIS), which code-review tools read. */

/** A line of a file. */
export interface SarifLine {
  readonly file: string;
  /** From 1; absent for a whole file. */
  readonly line?: number;
}

/** The base of the kernel's files in SARIF: the reader maps it to the tree. */
export const TREE_BASE = 'KERNEL';

/** `originalUriBaseIds` of a log with files of the kernel's tree. */
export const TREE_BASES = {
  [TREE_BASE]: { description: { text: 'the root of the kernel source tree' } },
};

/** A path as a URI reference (RFC 3986): other characters than those of paths are encoded. */
const uri = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** A physical location; `base`: the base of its file. */
export function sarifLocation({ file, line }: SarifLine, base?: string): Record<string, unknown> {
  return {
    physicalLocation: {
      artifactLocation: { uri: uri(file), ...(base === undefined ? {} : { uriBaseId: base }) },
      ...(line === undefined ? {} : { region: { startLine: line } }),
    },
  };
}

/** The text of a log of one run. */
export function sarifText(run: Readonly<Record<string, unknown>>): string {
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [run],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
