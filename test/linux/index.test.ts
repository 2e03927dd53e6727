/**
 * A file of src/linux is at the path of its C file: src/linux/index.ts says which bodies belong to which kernel source
 * file, and this test compares each of its rows with the path of the module that the bodies are imported from.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';

const ROOT = 'src/linux';
const INDEX = `${ROOT}/index.ts`;

/** Bodies that belong to no kernel source file: the `file` of their events, and their module. */
const NOT_KERNEL: Readonly<Record<string, string>> = {
  // A virtual machine monitor is a user program; the trace names no source file for it.
  'user space': 'user/vmm',
};

/** A row of the list of files: the path of the C file, and the constants with its bodies. */
interface Row {
  readonly path: string;
  readonly bodies: readonly string[];
}

/** The contents of index.ts: rows, the module of each import (without extension, relative to src/linux), all string literals. */
interface Listing {
  readonly rows: readonly Row[];
  readonly moduleOf: ReadonlyMap<string, string>;
  readonly literals: readonly string[];
}

function read(text: string): Listing {
  const rows: Row[] = [];
  const moduleOf = new Map<string, string>();
  const literals: string[] = [];
  const constants = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const from = (node.moduleSpecifier as ts.StringLiteral).text;
      const module = posix.normalize(from.replace(/\.js$/, ''));
      const names = node.importClause?.namedBindings;
      if (names !== undefined && ts.isNamedImports(names)) {
        for (const { name } of names.elements) moduleOf.set(name.text, module);
      }
      return;
    }
    if (ts.isStringLiteral(node)) literals.push(node.text);
    if (
      ts.isVariableDeclaration(node) &&
      node.initializer !== undefined &&
      ts.isStringLiteral(node.initializer)
    ) {
      constants.set(node.name.getText(), node.initializer.text);
    }
    if (ts.isCallExpression(node) && node.expression.getText() === 'kernelFile') {
      const [path, given] = node.arguments;
      if (path === undefined || given === undefined) throw new Error(node.getText());
      rows.push({
        path: ts.isStringLiteral(path) ? path.text : (constants.get(path.getText()) ?? ''),
        bodies: ts.isObjectLiteralExpression(given)
          ? given.properties.map((spread) => spread.getText().replace(/^\.\.\./, ''))
          : [given.getText()],
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(INDEX, text, ts.ScriptTarget.Latest, true));
  return { rows, moduleOf, literals };
}

/** A message per module that is not at its C file's path; empty if all are. */
function misplaced({ rows, moduleOf }: Listing): string[] {
  return rows.flatMap(({ path, bodies }) => {
    const stem = NOT_KERNEL[path] ?? path.replace(/\.[chS]$/, '');
    return bodies.flatMap((name) => {
      const module = moduleOf.get(name);
      if (module === stem || (module !== undefined && posix.dirname(module) === stem)) return [];
      const from = module === undefined ? 'no import' : `${ROOT}/${module}.ts`;
      return [
        `${path} lists ${name}, which is from ${from}: move it to ${ROOT}/${stem}.ts or to a module of the folder ${ROOT}/${stem}/, or correct the path in ${INDEX}`,
      ];
    });
  });
}

const listing = read(readFileSync(INDEX, 'utf8'));

describe('src/linux/index.ts', () => {
  test('lists the kernel source files and imports every constant that it lists', () => {
    expect(listing.rows.length).toBeGreaterThan(100);
    const known = listing.rows.flatMap(({ bodies }) => bodies);
    expect(known.filter((name) => !listing.moduleOf.has(name))).toEqual([]);
    expect(listing.rows.filter(({ path }) => path === '')).toEqual([]);
  });

  test('lists only modules that are at the path of their C file', () => {
    expect(misplaced(listing)).toEqual([]);
  });

  test('states each path once: a file that is listed twice has a constant', () => {
    const paths = new Set(listing.rows.map(({ path }) => path));
    const stated = listing.literals.filter((text) => paths.has(text));
    expect(stated.filter((text, index) => stated.indexOf(text) !== index)).toEqual([]);
  });

  test('is the only module of src/linux that calls kernelFile()', () => {
    const others = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
      .map((file) => posix.join(ROOT, file))
      .filter((file) => file.endsWith('.ts') && file !== INDEX);
    expect(others.length).toBeGreaterThan(100);
    expect(others.filter((file) => readFileSync(file, 'utf8').includes('kernelFile('))).toEqual([]);
  });
});

describe('the check of a listing', () => {
  const of = (from: string, path: string): string[] =>
    misplaced(read(`import { a } from '${from}';\nkernelFile('${path}', a);`));

  test.each([
    ['./mm/pat.js', 'mm/pat.c'],
    ['./mm/pat/params.js', 'mm/pat.c'],
    ['./kernel/head_64/data.js', 'kernel/head_64.S'],
    ['./include/asm/io.js', 'include/asm/io.h'],
    ['./user/vmm.js', 'user space'],
  ])('accepts bodies of %p under %p', (from, path) => {
    expect(of(from, path)).toEqual([]);
  });

  test.each([
    ['./mm/pat/pat.js', 'kernel/cpu/mtrr/main.c'],
    ['./mm/pat_rbtree.js', 'mm/pat.c'],
    ['./mm/pat/a/b.js', 'mm/pat.c'],
    ['./mm/pat.js', 'mm/pat/pat.c'],
  ])('rejects bodies of %p under %p and names both', (from, path) => {
    const [what = ''] = of(from, path);
    expect(what).toContain(`${path} lists a, which is from src/linux/`);
    expect(what).toContain(`move it to src/linux/${path.replace(/\.c$/, '.ts')}`);
  });
});
