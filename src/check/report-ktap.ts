/**
 * KTAP version 1 (Linux Documentation/dev-tools/ktap.rst): scenarios as tests, their stages as subtests, and files as
 * subtests of these. It can be read by tools/testing/kunit/kunit_parser.py, whose rules are named below.
 */
import { oneLine } from '../base/printable.js';
import { failedLines, isFine, withEnds, type Reporter, type Result } from './result.js';

/** A test with subtests, by their names in the order of first use, or the result of a file. */
type Node = Result | Map<string, Node>;

/**
 * Text at which kunit_parser.py takes the log to be over (KTAP_END, searched anywhere in a line). A boot's own console
 * has it: a colon in it becomes a dash.
 */
const LOG_END =
  /(List of all partitions|Kernel panic - not syncing: VFS|reboot(?=: System halted)):/g;

/** A name or diagnostic on one line: `name == test.name` of kunit_parser.py compares without trailing blanks. */
const plain = (text: string): string => oneLine(text).replace(LOG_END, '$1 -');

/** A # would begin a directive such as SKIP; a dash at the beginning would be the separator before the name. */
function nameOf(name: string): string {
  const words = plain(name).replaceAll('#', '_').replace(/^-+ /, '');
  return words === '' || words === '-' ? '(no name)' : words;
}

function treeOf(results: readonly Result[]): Map<string, Node> {
  const tree = new Map<string, Node>();
  for (const result of results) {
    let at = tree;
    for (const each of result.group) at = below(at, nameOf(each));
    at.set(unused(at, nameOf(result.name)), result);
  }
  return tree;
}

/** The subtests of a name, which no file has. */
function below(tree: Map<string, Node>, name: string): Map<string, Node> {
  const found = tree.get(name);
  if (found instanceof Map) return found;
  const inner = new Map<string, Node>();
  tree.set(unused(tree, name), inner);
  return inner;
}

function unused(tree: ReadonlyMap<string, Node>, name: string): string {
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? name : `${name} (${number})`;
    if (!tree.has(numbered)) return numbered;
  }
}

const allFine = (node: Node): boolean =>
  node instanceof Map ? [...node.values()].every(allFine) : isFine(node);

/**
 * The lines of one test. A subtest that has its parent's name would be taken for the parent's result
 * (peek_test_name_match).
 */
function testLines(node: Node, given: string, number: number, parent: string): string[] {
  const name = given === parent ? `${given} (inner)` : given;
  const ok = allFine(node) ? 'ok' : 'not ok';
  const line = `${ok} ${number} ${name}`;
  if (node instanceof Map) {
    const inner = ['KTAP version 1', `# Subtest: ${name}`, ...planLines(node, name)];
    return [...inner.map((each) => `  ${each}`), line];
  }
  if (node.status === 'skipped') return [`${line} # SKIP ${plain(node.note ?? '')}`.trimEnd()];
  return [...diagnostics(node), line];
}

/** A diagnostic is printed before its result. `# Subtest:` would begin a subtest. */
function diagnostics(result: Result): string[] {
  if (isFine(result)) return [];
  return failedLines(result)
    .flatMap((each) => each.split('\n'))
    .map((line) => {
      const indent = /^ */.exec(line)?.[0] ?? '';
      return `# ${indent}${plain(line).replace(/^Subtest:/, 'Subtest -')}`.trimEnd();
    });
}

function planLines(tree: ReadonlyMap<string, Node>, parent: string): string[] {
  return [
    `1..${tree.size}`,
    ...[...tree].flatMap(([name, node], index) => testLines(node, name, index + 1, parent)),
  ];
}

/** The results as KTAP. */
export const ktap: Reporter = (results) =>
  withEnds(['KTAP version 1', ...planLines(treeOf(results), '')]);
