// The rooms (folders) of src/ and which may import which, as data, and the lint rules that check it.
import { isBuiltin } from 'node:module';
import { posix, relative, resolve, sep } from 'node:path';

const UP_TO_KERNEL = ['base', 'trace', 'machine', 'decompress', 'firmware', 'kernel'];

/** A room per group of patches. They use each other only through the kernel's table, never by import. */
export const PATCH_ROOMS = [
  'early-boot',
  'pgtable',
  'protmap',
  'efi',
  'initrd',
  'realmode',
  'devicetree',
  'dma',
  'iommu',
  'vga',
  'kvm',
];

const UP_TO_PATCHES = [...UP_TO_KERNEL, 'linux', ...PATCH_ROOMS];
const UP_TO_SCENARIO = [...UP_TO_PATCHES, 'sanitizer', 'x86', 'series', 'scenario'];
const UP_TO_INSPECT = [...UP_TO_SCENARIO, 'sequencer', 'check', 'inspect'];
const UP_TO_ANALYSIS = [...UP_TO_INSPECT, 'analysis'];

/** What each directory of src/ may import, besides itself. `.` is the files directly in src/. */
export const MAY_IMPORT = {
  base: [],
  trace: ['base'],
  machine: ['base', 'trace'],
  sanitizer: ['base', 'trace', 'machine'],
  x86: ['base', 'trace', 'machine'],
  decompress: ['base', 'trace'],
  firmware: ['base', 'trace', 'machine', 'decompress'],
  kernel: ['base', 'trace', 'machine', 'decompress', 'firmware'],
  linux: UP_TO_KERNEL,
  ...Object.fromEntries(PATCH_ROOMS.map((room) => [room, [...UP_TO_KERNEL, 'linux']])),
  series: UP_TO_PATCHES,
  scenario: [...UP_TO_PATCHES, 'series'],
  sequencer: UP_TO_SCENARIO,
  check: ['base', 'trace'],
  inspect: [...UP_TO_SCENARIO, 'sequencer'],
  gdb: UP_TO_INSPECT,
  analysis: UP_TO_INSPECT,
  review: ['base', 'trace', 'series'],
  lib: UP_TO_INSPECT,
  view: UP_TO_INSPECT,
  node: [...UP_TO_ANALYSIS, 'lib', 'review', 'gdb', 'view'],
  cli: [...UP_TO_ANALYSIS, 'review', 'gdb', 'view', 'node', '.'],
  '.': UP_TO_ANALYSIS,
};

/** What each room holds, in a line: for docs/architecture.md. The rooms of the patches have one together. */
export const ROOMS = {
  base: 'errors with a code and a place, YAML with positions, byte arrays',
  trace: 'the vocabulary of events, recorder, YAML in and out',
  machine: 'DRAM, encryption engine, cache, MMU, CPUs, SVM, IOMMU, devices',
  sanitizer: 'rules about accesses and keys, on the machine alone',
  x86: 'instructions: decoder, registers and semantics, on the machine',
  decompress: 'gzip, xz, zstd, bzip2, LZMA, LZ4',
  firmware: 'kernel images, initrd, zero page, EFI, ACPI, SMBIOS, the loader',
  kernel: 'the runtime of a kernel model: table, hunks, program, tracer',
  linux: 'the base commit; a module is at the path of its C file',
  patches: 'the 18 patches: hunks that replace functions of the table',
  series: 'puts hunks on the base kernel, as applying and building does',
  scenario: 'machines to boot, as YAML or from a kernel log',
  sequencer: 'runs a boot step by step; snapshots; kexec; the final state',
  check: 'expected traces: match directives, comparison, reports',
  inspect: 'page walks, tables, memory at a label',
  gdb: "gdb's remote protocol for an executed boot",
  lib: 'the public interface for programs, without files',
  review: 'the patch records against posted mail and kernel source trees',
  analysis: 'effects, call scripts, matrix, checkpoints, bisection',
  view: 'the page that shows a boot, with the simulator in a worker',
  node: 'files, node:crypto, worker threads',
  cli: 'the commands',
};

/** The rooms that need Node; every other one also runs in a browser. */
export const NODE_ROOMS = ['node', 'cli'];

/** Packages that themselves need Node. */
const NODE_PACKAGES = ['commander'];

/** The room of an absolute file name, or undefined if it is not below `src`. */
function roomOf(src, file) {
  const inside = relative(src, file).split(sep).join(posix.sep);
  if (inside === '' || inside.startsWith('../')) return undefined;
  return inside.includes('/') ? inside.slice(0, inside.indexOf('/')) : '.';
}

/** Calls `check` with the node and text of every module specifier that a file imports, in any form. */
function onImport(check) {
  const literal = (node) => {
    if (node?.type === 'Literal' && typeof node.value === 'string') check(node, node.value);
  };
  return {
    ImportDeclaration: (node) => literal(node.source),
    ExportNamedDeclaration: (node) => literal(node.source),
    ExportAllDeclaration: (node) => literal(node.source),
    ImportExpression: (node) => literal(node.source),
    TSImportType: (node) => literal(node.source ?? node.argument),
    TSExternalModuleReference: (node) => literal(node.expression),
  };
}

const direction = {
  meta: {
    type: 'problem',
    docs: { description: 'imports between the rooms of src/ go one way' },
    messages: {
      refused: '{{from}}/ may not import {{to}}/ (it may import: {{may}}).',
      outside: 'src/ may not import what is outside src/.',
      unknown: 'src/{{room}}/ is not a room that scripts/lint/rooms.mjs lists.',
      suffix: 'A relative import ends in .js.',
    },
    schema: [],
  },
  create(context) {
    const src = resolve(context.cwd, 'src');
    const from = roomOf(src, context.filename);
    if (from === undefined) return {};
    const may = MAY_IMPORT[from];
    if (may === undefined) {
      return {
        Program: (node) => context.report({ node, messageId: 'unknown', data: { room: from } }),
      };
    }
    return onImport((node, specifier) => {
      if (!specifier.startsWith('.')) return;
      if (!specifier.endsWith('.js')) context.report({ node, messageId: 'suffix' });
      const to = roomOf(src, resolve(context.filename, '..', specifier));
      if (to === undefined) context.report({ node, messageId: 'outside' });
      else if (to !== from && !may.includes(to)) {
        const data = { from, to, may: may.join(', ') || 'no other room' };
        context.report({ node, messageId: 'refused', data });
      }
    });
  },
};

const browser = {
  meta: {
    type: 'problem',
    docs: { description: 'nothing outside node/ and cli/ imports Node modules' },
    messages: { refused: '{{module}} needs Node; only src/node/ and src/cli/ may import it.' },
    schema: [],
  },
  create(context) {
    return onImport((node, specifier) => {
      if (isBuiltin(specifier) || NODE_PACKAGES.includes(specifier.split('/')[0])) {
        context.report({ node, messageId: 'refused', data: { module: specifier } });
      }
    });
  },
};

const assertions = {
  meta: {
    type: 'suggestion',
    docs: { description: 'few non-null assertions in a file: use accessor helpers' },
    messages: { many: 'More than {{max}} non-null assertions in this file; write an accessor.' },
    schema: [{ type: 'integer', minimum: 0 }],
  },
  create(context) {
    const max = context.options[0] ?? 0;
    let count = 0;
    return {
      TSNonNullExpression: (node) => {
        count += 1;
        if (count === max + 1) context.report({ node, messageId: 'many', data: { max } });
      },
    };
  },
};

export default { meta: { name: 'rooms' }, rules: { direction, browser, assertions } };
