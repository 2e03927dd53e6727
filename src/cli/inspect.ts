/** `sme-boot inspect`: prints the machine's state at a label. */
import { Command, Option } from 'commander';
import { writeWhole } from '../node/files.js';
import { hex, pa, PAGE_SIZE, type KeyId } from '../machine/address.js';
import { MEMTYPE_NAMES, patTypes } from '../machine/cpu/memory-types.js';
import { bitNames, CR0, CR4, EFER, GENERAL_REGISTERS } from '../machine/cpu/registers.js';
import type { Boot } from '../sequencer/boot.js';
import { labelIndex } from '../sequencer/label-index.js';
import { checkPlace, parsePlace, physicalOf, virtualOf } from '../inspect/place.js';
import { exposedBy, rangeText } from '../inspect/exposed.js';
import { mappedRanges } from '../inspect/tables.js';
import { EngineTraffic } from '../inspect/traffic.js';
import { walkEnd, walkOf, walkRows } from '../inspect/walk.js';
import { InputError } from '../base/errors.js';
import { checkLimit, LIMITS } from '../base/limits.js';
import { printable } from '../base/printable.js';
import { table } from './columns.js';
import { EXIT, exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import {
  addOutput,
  checkOutput,
  formOf,
  onStderr,
  openResult,
  toFile,
  writeBytes,
  type OutputFlags,
} from './output.js';
import { Progress } from './progress.js';
import { addRunOptions, DEFAULT_SCENARIO, prepareBoot, type RunFlags } from './run-options.js';
import { refuseWithout } from './usage.js';

const FORMS = ['text', 'json'] as const;

interface Flags extends RunFlags, OutputFlags<(typeof FORMS)[number]> {
  at?: string;
  anyway?: boolean;
  vtop?: string;
  ptdump?: boolean;
  mem?: string;
  as: 'dram' | 'c0' | 'c1';
  save?: string;
  engine?: boolean;
  exposed?: boolean;
  regs?: boolean;
}

const EXAMPLES = `
PLACE is an address, a symbol or a region, with optional [index] and +offset: early_level4_pgt[511], initrd+64,
"kernel text". With --vtop, a region's address is the one in the direct map.

Examples:
  sme-boot inspect --at startup_64:switch --vtop _text
  sme-boot inspect --at init_mem_mapping --ptdump
  sme-boot inspect --mem initrd:64 --as dram
  sme-boot inspect --mem "kernel text:4096" --as c1 --save text.bin
  sme-boot inspect --engine --format json > engine.json
${exitHelp({ mismatch: 'the boot ended before the label (without --anyway)' })}`;

export function inspectCommand(io: Io): Command {
  const command = new Command('inspect')
    .description(
      'print the state of the machine at a label: translations, page tables, memory, engine, registers',
    )
    .argument('[SCENARIO]', 'name of a scenario, or a file', DEFAULT_SCENARIO);
  addRunOptions(command)
    .option('--at <LABEL>', 'stop after the step of this label (default: at the end of the boot)')
    .option('--anyway', 'if the boot does not reach the label, print the state at its end')
    .option('--vtop <PLACE>', 'translate a virtual address and print each level of the page walk')
    .option('--ptdump', 'print the current page tables as ranges')
    .option('--mem <PLACE:LEN>', 'print LEN bytes of memory')
    .addOption(
      new Option('--as <VIEW>', 'read --mem from DRAM without decryption, with C=0 or with C=1')
        .choices(['dram', 'c0', 'c1'])
        .default('dram'),
    )
    .option('--save <FILE>', 'write the bytes of --mem to this file (-: stdout)')
    .option(
      '--engine',
      "print the memory encryption engine's mode, keys and tweak constants, and what passed it",
    )
    .option('--exposed', 'print which RAM is in plaintext, by the code that wrote it last')
    .option('--regs', 'print the registers (the default)')
    .addHelpText('after', EXAMPLES)
    .action((scenario: string, flags: Flags, self: Command) => {
      refuseWithout(self, '--as', '--mem');
      refuseWithout(self, '--save', '--mem');
      refuseWithout(self, '--anyway', '--at');
      inspect(io, scenario, flags);
    });
  return addOutput(command, { formats: FORMS });
}

/** One part of the state: as data, and as text. */
interface View {
  readonly name: string;
  readonly data: unknown;
  /** Fits into `columns` columns; undefined: any number. */
  readonly text: (columns?: number) => string;
}

function inspect(io: Io, scenario: string, flags: Flags): void {
  checkOutput(flags.save);
  const progress = new Progress(io);
  const boot = prepareBoot(scenario, flags, progress.step);
  // All input is checked before the boot runs.
  const { at, vtop: address, mem, save } = flags;
  if (at !== undefined) checked('--at', () => labelIndex(boot.labels, at));
  if (address !== undefined) {
    checked('--vtop', () => {
      checkPlace(boot, address);
    });
  }
  if (mem !== undefined) {
    checked('--mem', () => {
      checkPlace(boot, parseMem(mem, save).where);
    });
  }
  checkOutput(flags.output);
  const traffic = new EngineTraffic();
  if (flags.engine === true) traffic.listen(boot.machine.probes);
  if (flags.at !== undefined) boot.runTo(flags.at);
  else while (boot.step());
  progress.clear();
  const reached = flags.at === undefined || boot.reached(flags.at);
  const ending = endingOf(boot, flags.at);
  if (ending !== undefined) io.stderr.write(`sme-boot: ${printable(ending)}\n`);
  const shown = reached || flags.anyway === true;
  if (!shown) io.exitCode = EXIT.mismatch;
  const views = shown ? viewsOf(io, boot, flags, traffic) : [];
  // With the bytes on stdout, the rest is on stderr.
  const aside = flags.save === '-' && !toFile(flags.output);
  const out = aside ? onStderr(io) : openResult(io, flags.output);
  if (formOf(flags, FORMS) === 'json') {
    const label =
      at === undefined
        ? {}
        : { at, reached, ...(ending !== undefined && { outcome: boot.outcome }) };
    const data = { ...label, ...Object.fromEntries(views.map((view) => [view.name, view.data])) };
    out.write(`${JSON.stringify(data, null, 2)}\n`);
  } else {
    out.print(views.map(({ text }) => text(out.columns)).join('\n'));
  }
  out.end();
}

/** Runs a check of the value of an option: its errors get the option as their place. */
function checked(option: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw error instanceof InputError ? error.within({ path: option }) : error;
  }
}

/** The sentence about a boot that did not complete the step of a label; undefined if it did. */
function endingOf(boot: Boot, at: string | undefined): string | undefined {
  if (at === undefined || boot.outcome === null || boot.outcome.kind === 'booted') return undefined;
  const { kind, where, message } = boot.outcome;
  const how = `${kind}${where === undefined ? '' : ` in ${where}`}${message === undefined ? '' : `: ${message}`}`;
  if (boot.reached(at)) return `the boot ended in ${at}: ${how}`;
  const last = boot.lastLabel;
  const state = '--anyway shows the state at its end';
  return `the boot did not reach ${at}, it ended in ${last}: ${how} (${state})`;
}

/** The requested parts of the state, in the order of the options; the registers if none is requested. */
function viewsOf(io: Io, boot: Boot, flags: Flags, traffic: EngineTraffic): View[] {
  const views: View[] = [];
  if (flags.vtop !== undefined) views.push(vtop(boot, flags.vtop));
  if (flags.ptdump === true) views.push(ptdump(boot));
  if (flags.mem !== undefined) views.push(memory(io, boot, flags.mem, flags));
  if (flags.engine === true) views.push(engine(boot, traffic));
  if (flags.exposed === true) views.push(exposed(boot));
  if (flags.regs === true || views.length === 0) views.push(registers(boot));
  return views;
}

function vtop(boot: Boot, text: string): View {
  const walk = walkOf(boot.machine.cpus[0], virtualOf(parsePlace(boot, text, 'va')));
  return {
    name: 'vtop',
    data: walk,
    text: (columns) =>
      `${printable(text)} = ${walk.va}\n${table(walkRows(walk), columns)}${walkEnd(walk)}\n`,
  };
}

const PAGE_NAMES: Readonly<Record<number, string>> = {
  [PAGE_SIZE]: '4K',
  [0x20_0000]: '2M',
  [0x4000_0000]: '1G',
};

function ptdump(boot: Boot): View {
  const ranges = mappedRanges(boot.machine.cpus[0]).map((range) => ({
    ...range,
    va: hex(range.va),
    pa: hex(range.pa),
    page: PAGE_NAMES[range.page] ?? String(range.page),
    last: hex(range.va + range.bytes - 1),
  }));
  const rows = ranges.map(({ va: from, last, pa: to, page, c, type, flags, reserved }) => [
    `${from}-${last}`,
    to,
    page,
    c === 1 ? 'ENC' : '   ',
    type,
    reserved === undefined ? flags : `${flags}, reserved bits ${reserved}`,
  ]);
  return {
    name: 'ptdump',
    data: ranges,
    text: (columns) =>
      table([['virtual', 'physical', 'page', 'ENC', 'type', 'flags'], ...rows], columns),
  };
}

const MEM = /^(.+):(0x[0-9a-fA-F]+|\d+)$/;

/** Parses the value of `--mem`. Throws E_MEM, and the limit's error. */
function parseMem(text: string, save: string | undefined): { where: string; length: number } {
  const [, where, size] = MEM.exec(text) ?? [];
  const length = Number(size);
  if (where === undefined || !(length > 0)) {
    throw new InputError({
      code: 'E_MEM',
      place: { path: '--mem' },
      expected: 'PLACE:LEN, LEN in bytes',
      found: JSON.stringify(text),
    });
  }
  checkLimit(save === undefined ? LIMITS.printedMemory : LIMITS.savedMemory, length, {
    path: '--mem',
  });
  return { where, length };
}

function memory(io: Io, boot: Boot, text: string, { as, save }: Flags): View {
  const { where, length } = parseMem(text, save);
  const address = physicalOf(boot, parsePlace(boot, where, 'pa'), where);
  const bytes =
    as === 'dram'
      ? boot.machine.dram.peek(pa(address), length)
      : boot.machine.dmaRead(pa(address), length, (as === 'c1' ? 1 : 0) as KeyId);
  if (save === '-') writeBytes(io, bytes);
  else if (save !== undefined) writeWhole(save, bytes);
  return {
    name: 'mem',
    data: { place: where, pa: hex(address), as, bytes: Buffer.from(bytes).toString('hex') },
    text: (columns) =>
      save === undefined
        ? hexdump(address, bytes, columns)
        : `${String(length)} bytes to ${save === '-' ? 'stdout' : printable(save)}\n`,
  };
}

/** Columns of a line of 16 bytes: address, two groups of eight bytes, characters. */
const WIDE_LINE = 12 + 2 + 23 + 2 + 23 + 2 + 18;

/** In the format of `hexdump -C`, narrow ones with eight bytes a line: repeated lines are replaced by one star. */
function hexdump(address: number, bytes: Uint8Array, columns = WIDE_LINE): string {
  const step = columns < WIDE_LINE ? 8 : 16;
  const lines: string[] = [];
  let before = '';
  for (let at = 0; at < bytes.length; at += step) {
    const row = [...bytes.subarray(at, at + step)];
    const cells = row.map((byte) => byte.toString(16).padStart(2, '0'));
    const halves = step === 8 ? [cells] : [cells.slice(0, 8), cells.slice(8)];
    const shown = halves.map((half) => half.join(' ').padEnd(23)).join('  ');
    const ascii = row.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');
    if (shown === before) {
      if (lines[lines.length - 1] !== '*') lines.push('*');
    } else {
      lines.push(`${(address + at).toString(16).padStart(12, '0')}  ${shown}  |${ascii}|`);
    }
    before = shown;
  }
  return `${lines.join('\n')}\n`;
}

function engine(boot: Boot, { blocks }: EngineTraffic): View {
  const data = boot.machine.engine.describe();
  const formula = data.mode === 'XEX' ? 'C = AES(m ^ T(p)) ^ T(p)' : 'C = AES(m ^ T(p))';
  const lines = [
    `mode ${data.mode}: ${formula} for each 16-byte block, AES-128`,
    'T(p) is the XOR of t_i over the set bits i of the physical address p',
    ...data.keys.map(({ id, key }) => `key ${String(id)}  ${key}`),
    ...data.tweaks.map(({ bit, constant }) => `t_${String(bit).padEnd(2)}   ${constant}`),
    'blocks between caches and DRAM (without devices and uncached accesses):',
    `  ${String(blocks.decrypted)} decrypted, ${String(blocks.decryptedUnread)} decrypted and overwritten unread`,
    `  ${String(blocks.encrypted)} encrypted`,
    `  without a key: ${String(blocks.plainRead)} read, ${String(blocks.plainWritten)} written`,
  ];
  return { name: 'engine', data: { ...data, blocks }, text: () => `${lines.join('\n')}\n` };
}

/** Most ranges of a writer in text (our choice). */
const RANGES = 3;

function exposed(boot: Boot): View {
  const writers = exposedBy(boot);
  const rows = writers.map(({ writer, bytes, ranges }) => {
    const more = ranges.length > RANGES ? [`${String(ranges.length - RANGES)} more`] : [];
    const shown = [...ranges.slice(0, RANGES).map(rangeText), ...more];
    return [writer, `${String(bytes)} bytes`, shown.join(', ')];
  });
  return {
    name: 'exposed',
    data: writers.map(({ writer, bytes, ranges }) => ({
      writer,
      bytes,
      ranges: ranges.map((range) => ({ pa: rangeText(range), bytes: range.bytes })),
    })),
    text: (columns) => table(rows, columns),
  };
}

function registers(boot: Boot): View {
  const cpu = boot.machine.cpus[0];
  const known = GENERAL_REGISTERS.filter((name) => cpu.knows(name));
  const general = Object.fromEntries(known.map((name) => [name, hex(cpu[name])]));
  const pat = (patTypes(cpu.msrs.get('PAT')) ?? []).map((type) => MEMTYPE_NAMES[type]);
  const cr3 = cpu.decodeEntry(cpu.cr3, PAGE_SIZE);
  const efer = Number(cpu.msrs.get('EFER'));
  const data = {
    ...general,
    rip: hex(cpu.rip),
    rflags: hex(cpu.rflags),
    cr0: { value: hex(cpu.cr0), bits: bitNames(CR0, cpu.cr0) },
    cr2: hex(cpu.cr2),
    cr3: { value: hex(cpu.cr3), table: hex(cr3.pa), c: cr3.c },
    cr4: { value: hex(cpu.cr4), bits: bitNames(CR4, cpu.cr4) },
    EFER: { value: hex(efer), bits: bitNames(EFER, efer) },
    SYSCFG: { value: hex(cpu.msrs.get('SYSCFG')), MemEncryptionModEn: cpu.encryption },
    PAT: { value: hex(cpu.msrs.get('PAT')), slots: pat },
    IDTR: { base: hex(cpu.idtr.base), limit: cpu.idtr.limit },
    GDTR: { base: hex(cpu.gdtr.base), limit: cpu.gdtr.limit },
    cpl: cpu.cpl,
    // A register that was never set is unknown, not zero: the kernel's functions are modelled, not executed.
    notModelled: [
      ...GENERAL_REGISTERS.filter((name) => !cpu.knows(name)),
      'rflags CF PF AF ZF SF OF IF',
    ],
  };
  const last = (name: string): string =>
    name !== 'rsp' && name in general
      ? '  last modelled write; the code since is not executed'
      : '';
  const shown = (value: unknown): string =>
    typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([key, v]) => (key === 'value' ? String(v) : `${key} ${String(v)}`))
          .join('  ')
      : String(value);
  return {
    name: 'regs',
    data,
    text: (columns) =>
      table(
        Object.entries(data).map(([name, value]) => [
          name === 'notModelled' ? 'not modelled' : name,
          Array.isArray(value) ? value.join(', ').toUpperCase() : `${shown(value)}${last(name)}`,
        ]),
        columns,
      ),
  };
}
