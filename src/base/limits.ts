/**
 * The bounds of all input, with their reasons. Each is our choice unless the reason names a source. An input beyond one
 * is refused with the code, before memory is reserved for it. docs/limits.md has the same rows
 * (scripts/docs-tables.mjs).
 */
import { InputError, type Place } from './errors.js';

/** A bound: the largest permitted value. */
export interface Limit {
  readonly most: number;
  readonly unit: string;
  /** The bounded quantity. */
  readonly what: string;
  readonly why: string;
  readonly code: string;
}

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;

export const LIMITS = {
  yamlFile: {
    most: MIB,
    unit: 'bytes',
    what: 'a YAML file: scenario, trace, match file, series, record, call script',
    why: 'ten times the longest expected trace; its syntax tree takes a hundred times its size',
    code: 'E_FILE_TOO_LARGE',
  },
  yamlLines: {
    most: 20_000,
    unit: 'lines',
    what: 'lines of a YAML file',
    why: 'the longest expected trace has 700',
    code: 'E_FILE_TOO_LARGE',
  },
  yamlDepth: {
    most: 64,
    unit: 'levels',
    what: 'nesting of mappings and lists in YAML',
    why: 'traces have 6 levels',
    code: 'E_YAML',
  },
  hunksFile: {
    most: MIB,
    unit: 'bytes',
    what: 'a module of own hunks (`--hunks`), and each file that it imports',
    why: 'the code of all patches together has 100 KiB',
    code: 'E_FILE_TOO_LARGE',
  },
  matrixFile: {
    most: 8 * MIB,
    unit: 'bytes',
    what: 'a part of a matrix report (JSON)',
    why: 'a matrix of every hunk and scenario has 2 MiB',
    code: 'E_FILE_TOO_LARGE',
  },
  systemMap: {
    most: 64 * MIB,
    unit: 'bytes',
    what: 'a System.map',
    why: "a distribution's has 8 MiB",
    code: 'E_FILE_TOO_LARGE',
  },
  log: {
    most: 64 * MIB,
    unit: 'bytes',
    what: 'a kernel log',
    why: 'journals of several boots have a few MiB',
    code: 'E_FILE_TOO_LARGE',
  },
  logLines: {
    most: 2 ** 22,
    unit: 'lines',
    what: 'lines of a kernel log',
    why: 'a log of the largest size in lines of 16 characters',
    code: 'E_DMESG',
  },
  sourceFile: {
    most: 16 * MIB,
    unit: 'bytes',
    what: 'a file of a kernel source tree',
    why: 'the largest that a record names has 300 KiB',
    code: 'E_FILE_TOO_LARGE',
  },
  kernelFile: {
    most: 2 * GIB - 1,
    unit: 'bytes',
    what: 'a kernel image; the size of its regular file',
    why: 'a vmlinux with debug information has up to 1 GiB; the size of an array of bytes',
    code: 'E_FILE_TOO_LARGE',
  },
  stream: {
    most: 256 * MIB,
    unit: 'bytes',
    what: 'a kernel image or an initrd from a pipe or a device',
    why: 'its size is not known before its end; initrds of distributions have up to 200 MiB',
    code: 'E_FILE_TOO_LARGE',
  },
  deviceTree: {
    most: 0xf000,
    unit: 'bytes',
    what: 'a flattened device tree',
    why: "the loader's memory from 0x80000 to the zero page, with room for the chain's headers",
    code: 'E_DTB_SIZE',
  },
  deviceTreeDepth: {
    most: 64,
    unit: 'levels',
    what: 'nesting of nodes in a device tree',
    why: 'FDT_MAX_DEPTH of later kernels (drivers/of/fdt.c, 4.7); 4.6 recurses on a stack of 16 KiB',
    code: 'E_UNMODELLED',
  },
  deviceTreeNames: {
    most: MIB,
    unit: 'characters',
    what: 'paths of all nodes and names of all properties of a device tree',
    why: 'a property takes 12 bytes, a name has 31 characters (Devicetree 0.1, 2.2.1, 2.2.4.1)',
    code: 'E_UNMODELLED',
  },
  unpackedKernel: {
    most: GIB,
    unit: 'bytes',
    what: 'a decompressed kernel, and the memory that its segments span',
    why: 'KERNEL_IMAGE_SIZE (arch/x86/include/asm/page_64_types.h)',
    code: 'E_TOO_LARGE',
  },
  symbolNames: {
    most: 32 * MIB,
    unit: 'characters',
    what: 'names of an ELF symbol table or of kallsyms',
    why: 'a kernel with debug symbols has 10 million; names of a crafted table share their text',
    code: 'E_TOO_LARGE',
  },
  initrd: {
    most: GIB,
    unit: 'bytes',
    what: '`loader.initrdSize`',
    why: 'initrd_addr_max is 2 GiB (boot protocol), and the kernel is below it',
    code: 'E_SCENARIO',
  },
  cacheSize: {
    most: 256 * MIB,
    unit: 'bytes',
    what: '`machine.cache.size`',
    why: 'a line costs the simulator 96 bytes; EPYC 7001 has 64 MiB of L3',
    code: 'E_SCENARIO',
  },
  devices: {
    most: 252,
    unit: 'devices',
    what: '`machine.devices`',
    why: 'each is on a bus of its own, and a bus number has 8 bits (PCI 3.0, 3.2.2.3)',
    code: 'E_SCENARIO',
  },
  memoryRanges: {
    most: 3200,
    unit: 'ranges',
    what: '`firmware.e820`, `firmware.efiMemoryMap`, and the map of a log',
    why: 'E820_MAX_ENTRIES with 1,024 nodes (arch/x86/include/asm/e820/types.h)',
    code: 'E_SCENARIO',
  },
  settingParts: {
    most: 16,
    unit: 'names',
    what: 'the path of a setting (`--set a.b.c=…`)',
    why: 'a scenario has 4 levels',
    code: 'E_SET',
  },
  commandLine: {
    most: 4095,
    unit: 'bytes',
    what: 'the kernel command line',
    why: "the loader's buffer is a page; the kernel reads 2,047 (COMMAND_LINE_SIZE)",
    code: 'E_CMDLINE_TOO_LONG',
  },
  text: {
    most: 16 * KIB,
    unit: 'characters',
    what: '`name`, `title` and `seed` of a scenario, names of its devices',
    why: 'they are a line each',
    code: 'E_SCENARIO',
  },
  directives: {
    most: 1000,
    unit: 'directives',
    what: '`match` in a match file',
    why: 'a trace has 400 lines; each directive searches the trace',
    code: 'E_EXPECTATION',
  },
  anyOrder: {
    most: 16,
    unit: 'patterns',
    what: 'patterns of one `any-order`',
    why: 'their assignments to events are searched',
    code: 'E_EXPECTATION',
  },
  anyOrderTries: {
    most: 200_000,
    unit: 'events',
    what: 'events that the `any-order` directives of a file compare; beyond it they are not found',
    why: 'the search backtracks; a hand-written file needs a few thousand',
    code: 'E_EXPECTATION',
  },
  suppressions: {
    most: 1000,
    unit: 'entries',
    what: 'a file of `--suppress`',
    why: 'a person has judged each; each is compared with every report',
    code: 'E_SUPPRESSION',
  },
  pattern: {
    most: 500,
    unit: 'characters',
    what: 'a regular expression of a pattern',
    why: 'a pattern is a line',
    code: 'E_EXPECTATION',
  },
  patternProgram: {
    most: 10_000,
    unit: 'instructions',
    what: 'the compiled form of a regular expression',
    why: 'a match takes time proportional to it: counted repetitions multiply',
    code: 'E_EXPECTATION',
  },
  printedMemory: {
    most: MIB,
    unit: 'bytes',
    what: '`inspect --mem` without `--save`',
    why: 'a page of text has 2 KiB',
    code: 'E_MEM',
  },
  savedMemory: {
    most: 64 * MIB,
    unit: 'bytes',
    what: '`inspect --mem` with `--save`',
    why: 'the largest kernel images',
    code: 'E_MEM',
  },
  cachedRange: {
    most: GIB,
    unit: 'bytes',
    what: '`inspect --cache`',
    why: 'the longest initrd; a virtual range is translated page by page',
    code: 'E_MEM',
  },
  callSteps: {
    most: 1000,
    unit: 'steps',
    what: 'steps of a call script',
    why: 'a script is written by hand',
    code: 'E_PROBE',
  },
  questionCommands: {
    most: 50,
    unit: 'commands',
    what: 'commands of a question',
    why: 'each is a boot or several; one or two answer a question',
    code: 'E_QUESTION',
  },
  callBytes: {
    most: MIB,
    unit: 'bytes',
    what: 'bytes that one step of a call script reads or writes',
    why: '64 are shown, the rest is only compared',
    code: 'E_PROBE',
  },
  traceBases: {
    most: 500,
    unit: 'files',
    what: 'a chain of traces stored as differences',
    why: 'a ladder has 19',
    code: 'E_BASE',
  },
  jobs: {
    most: 256,
    unit: 'threads',
    what: '`matrix --jobs`',
    why: 'each takes 150 MB; the largest machines have as many CPUs',
    code: '',
  },
  mailFile: {
    most: 16 * MIB,
    unit: 'bytes',
    what: 'a mailbox; all files of a folder of mails',
    why: 'a thread of 18 patches and their replies has 2 MiB',
    code: 'E_FILE_TOO_LARGE',
  },
  mail: {
    most: 4 * MIB,
    unit: 'bytes',
    what: 'a mail',
    why: 'mailing lists of the kernel refuse mails of more than 100,000 characters',
    code: 'E_MAIL',
  },
  mails: {
    most: 2000,
    unit: 'mails',
    what: 'mails of a mailbox or a folder',
    why: 'the longest threads of the kernel have a thousand',
    code: 'E_MAIL',
  },
  mailFiles: {
    most: 2000,
    unit: 'files',
    what: 'files in a folder of mails',
    why: 'each is a mail',
    code: 'E_MAIL',
  },
  message: {
    most: 2000,
    unit: 'characters',
    what: 'each part of an error: place, reason, expected, found; the rest is cut',
    why: 'the longest list of names has 1,500',
    code: '',
  },
} as const satisfies Readonly<Record<string, Limit>>;

/** Throws the limit's error if `found` exceeds it. */
export function checkLimit(limit: Limit, found: number, place: Place): void {
  if (found > limit.most) throw limitError(limit, String(found), place);
}

/** The error for a value beyond a limit. */
export function limitError(limit: Limit, found: string, place: Place): InputError {
  return new InputError({
    code: limit.code,
    place,
    expected: `at most ${limit.most} ${limit.unit}`,
    found,
  });
}
