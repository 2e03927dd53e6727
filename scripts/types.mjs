// Writes dist/types/: the declarations of the library for TypeScript, as far as its entry points reach them. They import no
// package: a type inferred from a zod schema is written out, with what the schema says of each key, and a package's own
// types (a schema, a compiled regular expression) are `unknown`.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { LIBRARY } from './entry-points.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');
const outDir = join(root, 'dist/types');

const config = ts.parseJsonConfigFileContent(
  ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
  ts.sys,
  root,
);
const program = ts.createProgram(
  Object.values(LIBRARY).map((entry) => join(root, entry)),
  {
    ...config.options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    // `npm run check:types` checks them.
    noCheck: true,
    rootDir: src,
    outDir,
  },
);
const checker = program.getTypeChecker();
const isPackage = (specifier) => !specifier.startsWith('.');

/** Local names of a file that are imported from packages. */
function packageNames(file) {
  const names = new Set();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !isPackage(statement.moduleSpecifier.text)) continue;
    const { importClause } = statement;
    if (importClause?.name) names.add(importClause.name.text);
    const bindings = importClause?.namedBindings;
    if (bindings && ts.isNamespaceImport(bindings)) names.add(bindings.name.text);
    else for (const each of bindings?.elements ?? []) names.add(each.name.text);
  }
  return names;
}

/** Whether a declaration uses one of some names, or imports a type from a package. */
function uses(node, names) {
  if (ts.isIdentifier(node) && names.has(node.text)) return true;
  if (ts.isImportTypeNode(node) && isPackage(node.argument.literal.text)) return true;
  return ts.forEachChild(node, (child) => uses(child, names)) ?? false;
}

const FLAGS =
  ts.NodeBuilderFlags.NoTruncation |
  ts.NodeBuilderFlags.InTypeAlias |
  ts.NodeBuilderFlags.MultilineObjectLiterals |
  ts.NodeBuilderFlags.UseAliasDefinedOutsideCurrentScope;

/** The text of a call of describe() in an expression: what a schema says of a value. */
function described(node) {
  if (node === undefined || !ts.isCallExpression(node)) return undefined;
  const {
    expression,
    arguments: [text],
  } = node;
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  if (expression.name.text === 'describe' && ts.isStringLiteralLike(text)) return text.text;
  return described(expression.expression);
}

/** A type node with each key of an object documented by what its schema says. */
function documented(context, type, node) {
  const visit = (type) => (child) => {
    if (ts.isTypeLiteralNode(child)) return ts.visitEachChild(child, member(type), context);
    const items = checker.getIndexTypeOfType(type, ts.IndexKind.Number);
    return ts.visitEachChild(child, visit(items ?? type), context);
  };
  const member = (type) => (signature) => {
    const symbol = signature.name && checker.getPropertyOfType(type, signature.name.text);
    if (symbol === undefined) return signature;
    const of = checker.getNonNullableType(checker.getTypeOfSymbol(symbol));
    const inner = ts.visitEachChild(signature, visit(of), context);
    const schema = symbol.declarations?.find(ts.isPropertyAssignment)?.initializer;
    const what = described(schema);
    if (what === undefined) return inner;
    const comment = `* ${what.replaceAll('*/', '* /')} `;
    return ts.addSyntheticLeadingComment(
      inner,
      ts.SyntaxKind.MultiLineCommentTrivia,
      comment,
      true,
    );
  };
  return ts.visitNode(node, visit(type));
}

/** The alias with its type written out; undefined if that would still name a package. */
function writtenOut(context, alias, names) {
  const original = ts.getOriginalNode(alias);
  const found = checker.getTypeAtLocation(original.name);
  const type = checker.typeToTypeNode(found, original, FLAGS);
  if (type === undefined || uses(type, names)) return undefined;
  const { modifiers, name, typeParameters } = alias;
  return context.factory.updateTypeAliasDeclaration(
    alias,
    modifiers,
    name,
    typeParameters,
    documented(context, found, type),
  );
}

/** The declaration with `unknown` in place of each type of a package. */
function opaque(context, statement, names) {
  const { factory } = context;
  const visit = (node) => {
    const ofPackage =
      (ts.isTypeReferenceNode(node) && uses(node.typeName, names)) ||
      (ts.isTypeQueryNode(node) && uses(node.exprName, names)) ||
      (ts.isImportTypeNode(node) && isPackage(node.argument.literal.text));
    return ofPackage
      ? factory.createKeywordTypeNode(ts.SyntaxKind.UnknownKeyword)
      : ts.visitEachChild(node, visit, context);
  };
  return ts.visitNode(statement, visit);
}

/** Removes packages from the declarations of a file. */
const withoutPackages = (context) => (file) => {
  if (!ts.isSourceFile(file)) return file;
  const names = packageNames(file);
  const statements = file.statements.flatMap((statement) => {
    if (ts.isImportDeclaration(statement) && isPackage(statement.moduleSpecifier.text)) return [];
    if (!uses(statement, names)) return [statement];
    const written = ts.isTypeAliasDeclaration(statement) && writtenOut(context, statement, names);
    return [written || opaque(context, statement, names)];
  });
  return context.factory.updateSourceFile(file, statements);
};

const texts = new Map();
program.emit(undefined, (path, text) => texts.set(resolve(path), text), undefined, true, {
  afterDeclarations: [withoutPackages],
});

/**
 * The modules that declare names and state of the kernel by merging: a module of own hunks is typed by all of them, although
 * no declaration names them.
 */
const table = join(outDir, 'kernel/table.d.ts');
const merged = [...texts].filter(([, text]) =>
  /^declare module '.*\/kernel\/\w+\.js' \{$/m.test(text),
);
const names = merged.map(
  ([path]) => `import '../${relative(outDir, path).replace(/\.d\.ts$/, '.js')}';\n`,
);
texts.set(join(outDir, 'kernel/names.d.ts'), names.sort().join(''));
texts.set(table, `import './names.js';\n${texts.get(table)}`);

/** The declarations that a file imports, itself included. */
function reach(path, reached) {
  if (reached.has(path)) return;
  const text = texts.get(path);
  if (text === undefined) throw new Error(`no declarations for ${path}`);
  reached.set(path, text);
  for (const { fileName } of ts.preProcessFile(text).importedFiles) {
    if (isPackage(fileName)) throw new Error(`${relative(root, path)} imports ${fileName}`);
    reach(join(dirname(path), fileName.replace(/\.js$/, '.d.ts')), reached);
  }
}

const reached = new Map();
for (const entry of Object.values(LIBRARY)) {
  reach(join(outDir, relative(src, join(root, entry)).replace(/\.ts$/, '.d.ts')), reached);
}
for (const [path, text] of reached) {
  if (ts.sys.readFile(path) === text) continue;
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.part`;
  writeFileSync(beside, text);
  renameSync(beside, path);
}
for (const path of ts.sys.readDirectory(outDir, ['.d.ts'])) {
  if (!reached.has(resolve(path))) rmSync(path);
}
