/** `sme-boot inspect`: prints the machine's state at a label. */
import { Command, Option } from 'commander';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { InspectedBoot } from '../sequencer/inspected-boot.js';
import type { MemoryView } from '../inspect/memory.js';
import { checkPlace } from '../inspect/place.js';
import { EngineTraffic } from '../inspect/traffic.js';
import { printable } from '../base/printable.js';
import { addExecuteOptions, checkExecute, prepareInspected } from './execute-options.js';
import { EXIT, exitHelp } from './exit-codes.js';
import { cache, parseCache } from './inspect-cache.js';
import { cpuOf, refuseCpu } from './inspect-cpu.js';
import {
  checkLabels,
  differencesOf,
  differenceText,
  stateOf,
  type Asked,
} from './inspect-difference.js';
import { checked, endingOf } from './inspect-label.js';
import { engine, exposed, registers } from './inspect-machine.js';
import { memory, memoryHeading, parseMem, refuseSeveral } from './inspect-memory.js';
import { ptdump, tlb, vtop } from './inspect-pages.js';
import { dataOf, textOf } from './inspect-view.js';
import type { Io } from './io.js';
import {
  addOutput,
  checkOutput,
  formOf,
  onStderr,
  openResult,
  toFile,
  type OutputFlags,
} from './output.js';
import { Progress } from './progress.js';
import { addRunOptions, DEFAULT_SCENARIO, repeated, type RunFlags } from './run-options.js';
import { refuseWithout } from './usage.js';

const FORMS = ['text', 'json'] as const;

interface Flags extends RunFlags, OutputFlags<(typeof FORMS)[number]> {
  at?: string[];
  anyway?: boolean;
  cpu?: string;
  vtop?: string;
  ptdump?: boolean;
  tlb?: boolean;
  mem?: string[];
  cache?: string[];
  as: MemoryView;
  save?: string;
  engine?: boolean;
  exposed?: boolean;
  regs?: boolean;
}

const EXAMPLES = `
PLACE is an address, a symbol or a region, with optional [index] and +offset: early_level4_pgt[511], initrd+64,
"kernel text". With --vtop, a region's address is the one in the direct map. --cache takes all of a region or
symbol, and of an address the line.

Examples:
  sme-boot inspect --at startup_64:switch --vtop _text
  sme-boot inspect --at init_mem_mapping --ptdump
  sme-boot inspect --at init_mem_mapping --tlb
  sme-boot inspect --cpu 2 --regs --tlb
  sme-boot inspect --at startup_64:phys_base --at startup_64:switch --tlb --vtop _text
  sme-boot inspect --mem initrd:64 --as dram
  sme-boot inspect --at copy_bootdata --cache boot_params --cache 0x90000:4096
  sme-boot inspect --mem initrd:16 --mem boot_command_line:64 --as c1
  sme-boot inspect --mem "kernel text:4096" --as c1 --save text.bin
  sme-boot inspect --engine --format json > engine.json
  sme-boot inspect firmware-syscfg --kernel vmlinuz --execute --at sme_enable:return
${exitHelp({ mismatch: 'the boot ended before the label (without --anyway)' })}`;

export function inspectCommand(io: Io): Command {
  const command = new Command('inspect')
    .description(
      'print the state of the machine at a label, or what differs between two: translations, memory, caches, registers',
    )
    .argument('[SCENARIO]', 'name of a scenario, or a file', DEFAULT_SCENARIO);
  addExecuteOptions(addRunOptions(command, { unwatched: true }))
    .option(
      '--at <LABEL>',
      'stop after the step of this label, with --execute at this function, or F:return (default: at the end of the boot); given twice: what differs',
      repeated,
    )
    .option('--anyway', 'if the boot does not reach the label, print the state at its end')
    .option('--cpu <N>', 'whose registers, TLB and page tables (default: 0, the boot CPU)')
    .option('--vtop <PLACE>', 'translate a virtual address and print each level of the page walk')
    .option('--ptdump', 'print the current page tables as ranges')
    .option(
      '--tlb',
      "print the translations in the CPU's TLB, and whether the page tables have the same now",
    )
    .option('--mem <PLACE:LEN>', 'print LEN bytes of memory; can be repeated', repeated)
    .option(
      '--cache <PLACE[:LEN]>',
      'print the cached lines of a place, and whether memory has the same; can be repeated',
      repeated,
    )
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
      checkExecute(self, flags);
      refuseWithout(self, '--as', '--mem');
      refuseWithout(self, '--save', '--mem');
      refuseSeveral(flags);
      refuseWithout(self, '--anyway', '--at');
      refuseCpu(self);
      inspect(io, scenario, flags);
    });
  return addOutput(command, { formats: FORMS });
}

function inspect(io: Io, scenario: string, flags: Flags): void {
  checkOutput(flags.save);
  const progress = new Progress(io);
  const boot = prepareInspected(scenario, flags, progress.step);
  const cpu = checkInput(boot, flags);
  checkOutput(flags.output);
  const traffic = new EngineTraffic();
  if (flags.engine === true) traffic.listen(boot.machine.probes);
  const asked = askedOf(io, boot, cpu, flags, traffic);
  const [at, to] = flags.at ?? [];
  const last = to ?? at;
  // The state at the first of two labels; undefined: the boot has ended before it.
  let before: ReturnType<typeof stateOf> | undefined;
  if (at !== undefined) boot.runTo(at);
  if (at !== undefined && to !== undefined && boot.reached(at)) {
    before = stateOf(asked);
    boot.runTo(to);
  }
  if (at === undefined) boot.runToEnd();
  progress.clear();
  const comparable = to === undefined || before !== undefined;
  const reached = last === undefined || boot.reached(last);
  const ending = endingOf(boot, comparable ? last : at, comparable);
  if (ending !== undefined) io.stderr.write(`sme-boot: ${printable(ending)}\n`);
  const shown = comparable && (reached || flags.anyway === true);
  if (!shown) io.exitCode = EXIT.mismatch;
  const views = shown && before === undefined ? asked.map(({ make }) => make()) : [];
  const changes = shown && before !== undefined ? differencesOf(before, stateOf(asked)) : undefined;
  // With the bytes on stdout, the rest is on stderr.
  const aside = flags.save === '-' && !toFile(flags.output);
  const out = aside ? onStderr(io) : openResult(io, flags.output);
  if (formOf(flags, FORMS) === 'json') {
    const data = {
      ...(at !== undefined && { at: to === undefined ? at : [at, to], reached }),
      ...(at !== undefined && ending !== undefined && { outcome: boot.outcome }),
      ...(flags.cpu !== undefined && { cpu: cpu.id }),
      ...(changes === undefined ? dataOf(views) : { difference: changes }),
    };
    out.write(`${JSON.stringify(data, null, 2)}\n`);
  } else if (changes !== undefined) {
    out.print(differenceText([at ?? '', reached ? (to ?? '') : 'the end'], changes, out.columns));
  } else {
    out.print(textOf(views, out.columns));
  }
  out.end();
}

/** Checks all input before the boot runs; returns the CPU whose state is asked for. */
function checkInput(
  boot: InspectedBoot,
  { at, vtop: address, mem, cache: lines, save, cpu }: Flags,
): Cpu {
  checked('--at', () => {
    checkLabels(boot, at ?? []);
  });
  if (address !== undefined) {
    checked('--vtop', () => {
      checkPlace(boot, address);
    });
  }
  for (const each of mem ?? []) {
    checked('--mem', () => {
      checkPlace(boot, parseMem(each, save).where);
    });
  }
  for (const each of lines ?? []) {
    checked('--cache', () => {
      checkPlace(boot, parseCache(each).where);
    });
  }
  return cpuOf(boot, cpu);
}

/** The requested parts of the state, in the order of the options; the registers if none is requested. */
function askedOf(
  io: Io,
  boot: InspectedBoot,
  cpu: Cpu,
  flags: Flags,
  traffic: EngineTraffic,
): Asked[] {
  const { vtop: address, mem = [], cache: lines = [], as } = flags;
  const asked: Asked[] = [
    ...(address === undefined
      ? []
      : [{ name: 'vtop', heading: printable(address), make: () => vtop(boot, cpu, address) }]),
    ...(flags.ptdump === true ? [{ name: 'ptdump', make: () => ptdump(boot, cpu) }] : []),
    ...(flags.tlb === true ? [{ name: 'tlb', make: () => tlb(boot, cpu) }] : []),
    ...mem.map((text) => ({
      name: 'mem',
      heading: memoryHeading(text, as),
      make: () => memory(io, boot, cpu, text, flags),
    })),
    ...lines.map((text) => ({
      name: 'cache',
      heading: printable(text),
      make: () => cache(boot, cpu, text),
    })),
    ...(flags.engine === true ? [{ name: 'engine', make: () => engine(boot, traffic) }] : []),
    ...(flags.exposed === true ? [{ name: 'exposed', make: () => exposed(boot) }] : []),
  ];
  const regs = { name: 'regs', make: () => registers(boot, cpu) };
  return flags.regs === true || asked.length === 0 ? [...asked, regs] : asked;
}
