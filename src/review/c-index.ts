/** The definitions of a C file of the kernel, from its syntax tree. */
import type { Node, Parser } from 'web-tree-sitter';
import type { NameKind } from '../series/record.js';
import { type Definition, FileIndex } from './definition.js';
import { withStrings } from './tokens.js';

/**
 * Macros of include/linux/init.h, compiler.h, linkage.h and cache.h that stand between the parts of a declaration, where C has
 * no place for a name: they are replaced by spaces before the text is parsed.
 */
const ATTRIBUTES =
  /\b(?:__init|__exit|__initdata|__initconst|__exitdata|__ref|__refdata|__refconst|__meminit|__meminitdata|__cpuinit|__head|__visible|__weak|__always_inline|__always_unused|__maybe_unused|__noclone|noinline|noinstr|notrace|nokprobe_inline|asmlinkage|__noreturn|__cold|__used|__pure|__read_mostly|__ro_after_init|__latent_entropy|__force|__user|__iomem|__percpu|__rcu|__kernel|__cacheline_aligned|__cacheline_aligned_in_smp|____cacheline_aligned|____cacheline_aligned_in_smp|__page_aligned_data|__page_aligned_bss|__brk_align|__must_check|__packed|__randomize_layout|__no_sanitize_address|__sched|__kprobes|__init_memblock|__initdata_memblock|__efi_memmap_init|__devinit|__refok|__no_stack_protector|__nocfi)\b(?!\s*\()/g;
const spaces = (match: string): string => ' '.repeat(match.length);

/**
 * A macro with arguments on a line of its own that makes declarations, as build_mmio_read() of asm/io.h: without a semicolon
 * the grammar takes what follows for a part of it. The head of a function has its body on the next line.
 */
const MAKER = /^[A-Za-z_]\w*\([^;{}\n]*\)$(?!\n[ \t]*\{)/gm;

/** The text as the parser takes it, each name at its line and column. */
function parseable(text: string): string {
  return text.replaceAll(ATTRIBUTES, spaces).replaceAll(MAKER, spaces);
}

/** The identifier in a declarator, under pointers, arrays, parentheses and parameters. */
function declared(node: Node | null): Node | null {
  if (node === null || /^(?:type_|field_)?identifier$/.test(node.type)) return node;
  const inner = node.childForFieldName('declarator');
  if (inner !== null) return declared(inner);
  const children = node.namedChildren.filter((child) => child.type !== 'comment');
  return /declarator$/.test(node.type) ? declared(children[0] ?? null) : null;
}

const isFunction = (node: Node | null): boolean =>
  node !== null &&
  (node.type === 'function_declarator' || isFunction(node.childForFieldName('declarator')));

const lineOf = (node: Node): number => node.startPosition.row + 1;

/** Collects the definitions of one file. */
class Collector {
  readonly found: Definition[] = [];

  constructor(readonly text: string) {}

  add(name: Node, kind: Definition['kind'], whole: Node, body?: Node | null): void {
    this.addNamed(name.text, name, kind, whole, body);
  }

  addNamed(
    name: string,
    at: Node,
    kind: Definition['kind'],
    whole: Node,
    body?: Node | null,
  ): void {
    const { row, column } = whole.endPosition;
    this.found.push({
      ...{ name, kind, line: lineOf(at) },
      endLine: column === 0 ? row : row + 1,
      ...(body === undefined || body === null
        ? {}
        : {
            body: {
              text: withStrings(this.text.slice(body.startIndex, body.endIndex)).trim(),
              line: lineOf(body),
            },
          }),
    });
  }

  /** A function, macro, variable, type or block of the preprocessor outside a function. */
  top(node: Node): void {
    switch (node.type) {
      case 'function_definition':
        return this.functionDefinition(node);
      case 'preproc_def':
      case 'preproc_function_def':
        return this.macro(node);
      case 'declaration':
        this.types(node);
        return this.declaration(node);
      case 'struct_specifier':
      case 'union_specifier':
      case 'enum_specifier':
      case 'type_definition':
        return this.types(node);
      case 'comment':
      case 'compound_statement':
        return;
      default:
        for (const child of node.namedChildren) this.top(child);
    }
  }

  functionDefinition(node: Node): void {
    const name = declared(node.childForFieldName('declarator'));
    const body = node.childForFieldName('body');
    if (name !== null) this.add(name, 'function', node, body);
    // A definition that the parser could not close may have others in it.
    if (body?.hasError === true) this.within(body);
    this.offsets(body);
    this.statics(body);
  }

  /** Static variables of a function. */
  statics(body: Node | null): void {
    for (const child of body?.descendantsOfType('declaration') ?? []) {
      if (child.namedChildren.some(({ text }) => text === 'static')) this.declaration(child);
    }
  }

  /** Definitions of functions inside a body that has errors. */
  within(node: Node): void {
    for (const child of node.namedChildren) {
      if (child.type === 'function_definition') this.functionDefinition(child);
      else if (child.hasError) this.within(child);
    }
  }

  macro(node: Node): void {
    const name = node.childForFieldName('name');
    if (name !== null) this.add(name, 'macro', node, node.childForFieldName('value'));
  }

  declaration(node: Node): void {
    const storage = node.namedChildren.filter(({ type }) => type === 'storage_class_specifier');
    const external = storage.some(({ text }) => text === 'extern');
    for (const child of node.childrenForFieldName('declarator')) {
      const name = declared(child);
      if (name === null) continue;
      const kind: Definition['kind'] = isFunction(child) || external ? 'declaration' : 'variable';
      this.add(name, kind, node, child.childForFieldName('value'));
    }
  }

  /** The members of a structure and the enumerators in a type, with those of types within it. */
  types(node: Node): void {
    for (const type of node.descendantsOfType([
      'struct_specifier',
      'union_specifier',
      'enumerator',
    ])) {
      if (type.type === 'enumerator') {
        const name = type.childForFieldName('name');
        if (name !== null) this.add(name, 'constant', type, type.childForFieldName('value'));
        continue;
      }
      const tag = type.childForFieldName('name');
      const body = type.childForFieldName('body');
      if (tag === null || body === null) continue;
      for (const field of body.descendantsOfType('field_declaration')) {
        for (const child of field.childrenForFieldName('declarator')) {
          const name = declared(child);
          if (name !== null) this.addNamed(`${tag.text}.${name.text}`, name, 'member', field);
        }
      }
    }
  }

  /** include/linux/kbuild.h: OFFSET(NAME, STRUCT, MEMBER) and DEFINE(NAME, VALUE) make constants for assembly. */
  offsets(body: Node | null): void {
    for (const call of body?.descendantsOfType('call_expression') ?? []) {
      if (!/^(?:OFFSET|DEFINE)$/.test(call.childForFieldName('function')?.text ?? '')) continue;
      const name = call.childForFieldName('arguments')?.namedChildren[0];
      if (name?.type === 'identifier') this.add(name, 'constant', call);
    }
  }
}

/** The definitions of a C file. `parser` has the grammar of C. */
export function indexC(path: string, source: string, parser: Parser): FileIndex {
  // The grammar takes the line after `#define NAME ` for its value if there is a space at the end.
  const text = source.replaceAll(/[ \t\r]+$/gm, '');
  const tree = parser.parse(parseable(text));
  if (tree === null) return new FileIndex(path, []);
  try {
    const collector = new Collector(text);
    collector.top(tree.rootNode);
    return new FileIndex(path, collector.found);
  } finally {
    tree.delete();
  }
}

/** Kinds that a definition of C or assembly may have for a recorded kind: a header cannot tell a macro from a constant. */
export const SAME_KIND: Readonly<Record<NameKind, readonly Definition['kind'][]>> = {
  function: ['function', 'macro'],
  macro: ['macro', 'constant', 'function'],
  constant: ['constant', 'macro', 'variable'],
  variable: ['variable', 'function', 'label'],
  member: ['member'],
  config: ['config'],
  label: ['label', 'function', 'variable'],
  option: ['option'],
};
