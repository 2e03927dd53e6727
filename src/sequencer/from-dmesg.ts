/** A scenario from a kernel log. What the log lacks is filled with defaults, each of which is told. */
import { alignUp, hex, PMD_SIZE } from '../machine/address.js';
import { EFI_MEMORY_TYPE } from '../firmware/efi/layout.js';
import { EARLY_CONSOLES_LEFT_OUT } from '../kernel/early-printk.js';
import { InputError } from '../trace/errors.js';
import type { DmesgFacts, Extent } from './dmesg.js';

/** A scenario's data as its file has it, and remarks: what was taken from where, what was filled in. */
export interface DraftScenario {
  readonly data: Readonly<Record<string, unknown>>;
  readonly remarks: readonly string[];
}

export interface DraftOptions {
  readonly name: string;
  /** Leave the command line as it was logged, and do not ask for encryption. */
  readonly asLogged: boolean;
}

/** CPUs that a scenario may have. */
const MAX_CPUS = 8;
/** Where the kernel goes at the lowest (CONFIG_PHYSICAL_START), and the room that it and its work area may need. */
const KERNEL_LOWEST = 16 * 2 ** 20;
const KERNEL_ROOM = 128 * 2 ** 20;
const DEFAULT_COMMAND_LINE = 'console=tty0 root=/dev/ram0';
const DEFAULT_CPU = 'zen-1';
const INTEL = 'intel-broadwell';
const OPTION = 'mem_encrypt=on';

/** Which modelled processor stands for one, by family and model (PPR of each). */
const AMD_MODELS: readonly { family: number; from: number; cpu: string }[] = [
  { family: 0x17, from: 0x00, cpu: 'zen-1' },
  { family: 0x17, from: 0x30, cpu: 'zen-2' },
  { family: 0x19, from: 0x00, cpu: 'zen-3' },
  { family: 0x19, from: 0x10, cpu: 'epyc-9654' },
];

function cpuOf({ cpu }: DmesgFacts, remark: (text: string) => void): string {
  if (cpu === undefined) {
    remark(`machine.cpu: the log does not say which; ${DEFAULT_CPU}`);
    return DEFAULT_CPU;
  }
  if (/^Intel/.test(cpu.name)) {
    remark(`machine.cpu: ${INTEL} stands for ${cpu.name}`);
    return INTEL;
  }
  const found = AMD_MODELS.filter((m) => m.family === cpu.family && m.from <= cpu.model).at(-1);
  remark(`machine.cpu: ${found?.cpu ?? DEFAULT_CPU} stands for ${cpu.name}`);
  return found?.cpu ?? DEFAULT_CPU;
}

/** Where the kernel is loaded: where EFI's loader data says that it was, else the lowest usable place. */
function kernelPlace({ e820, efiMemoryMap }: DmesgFacts, remark: (text: string) => void): number {
  const loaded = efiMemoryMap.find(
    ({ type, start, end }) =>
      type === EFI_MEMORY_TYPE.LOADER_DATA &&
      start >= KERNEL_LOWEST &&
      start % PMD_SIZE === 0 &&
      end - start >= KERNEL_LOWEST,
  );
  if (loaded !== undefined) {
    remark('loader.kernelAt: the first large, aligned range of loader data');
    return loaded.start;
  }
  for (const { type, start, end } of e820) {
    if (type !== 'usable') continue;
    const at = alignUp(Math.max(start, KERNEL_LOWEST), PMD_SIZE);
    if (at + KERNEL_ROOM <= end + 1) {
      remark('loader.kernelAt: the lowest usable place from 16 MiB on');
      return at;
    }
  }
  throw new InputError({
    code: 'E_DMESG',
    reason: 'no usable memory has room for a kernel',
    expected: `${hex(KERNEL_ROOM)} bytes above 16 MiB`,
  });
}

/** An option that asks for an early console that the machine does not have. */
function isEarlyConsole(word: string): boolean {
  const [option, value = ''] = word.split('=');
  return option === 'earlyprintk' && EARLY_CONSOLES_LEFT_OUT.some((name) => value.includes(name));
}

function commandLineOf(facts: DmesgFacts, asLogged: boolean, remark: (t: string) => void): string {
  const { commandLine } = facts;
  if (commandLine === undefined) remark(`cmdline: not in the log; ${DEFAULT_COMMAND_LINE}`);
  const logged = commandLine ?? DEFAULT_COMMAND_LINE;
  if (asLogged) return logged;
  const words = logged.split(' ');
  const [left, kept] = [
    words.filter(isEarlyConsole),
    words.filter((word) => !isEarlyConsole(word)),
  ];
  if (left.length > 0) {
    remark(`cmdline: ${left.join(' ')} is left out: the machine has no such console`);
  }
  const line = kept.join(' ');
  if (/(?:^|\s)mem_encrypt=/.test(line)) return line;
  remark(`cmdline: ${OPTION} is added, so that the boot has something to show`);
  return `${line} ${OPTION}`;
}

const bytesOf = (ranges: readonly Extent[]): number =>
  ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0);

/** Makes a scenario of what a log says. Throws E_DMESG where it has no memory map. */
export function draftScenario(facts: DmesgFacts, options: DraftOptions): DraftScenario {
  const remarks: string[] = [];
  const remark = (text: string): void => {
    remarks.push(text);
  };
  if (facts.e820.length < 2) {
    throw new InputError({
      code: 'E_DMESG',
      reason: 'the log has no memory map',
      expected: 'lines like "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable"',
      found: `${String(facts.e820.length)} of them`,
    });
  }
  const usable = facts.e820.filter(({ type }) => type === 'usable');
  const cpus = Math.min(facts.cpus ?? 1, MAX_CPUS);
  if (facts.cpus === undefined) remark('machine.cpus: not in the log; 1');
  else if (facts.cpus > MAX_CPUS) {
    remark(`machine.cpus: ${String(MAX_CPUS)} of ${String(facts.cpus)}`);
  }
  if (facts.efi && facts.efiMemoryMap.length === 0) {
    remark('firmware.efiMemoryMap: not in the log (it needs efi=debug); made from the BIOS map');
  }
  if (facts.ramdisk === undefined) {
    remark('loader.initrdAt: not in the log; as high as a loader may put it');
  }
  remark('machine.ram: the sum of the usable ranges, in whole pages');
  const ram = Math.floor(bytesOf(usable) / 4096) * 4096;
  const cpu = cpuOf(facts, remark);
  const amd = cpu !== INTEL;
  if (amd) {
    remark(
      'firmware.syscfgMemEncrypt: a log does not say; set on each CPU, as its setup screen does',
    );
  }
  const data = {
    name: options.name,
    title: facts.dmi ?? 'a machine from a kernel log',
    machine: {
      cpu,
      ram,
      cpus,
      ...(facts.efi ? {} : { vga: true }),
    },
    firmware: {
      type: facts.efi ? 'efi' : 'bios',
      ...(amd && { syscfgMemEncrypt: true }),
      e820: facts.e820,
      ...(facts.efiMemoryMap.length === 0 ? {} : { efiMemoryMap: facts.efiMemoryMap }),
    },
    loader: {
      kernelAt: kernelPlace(facts, remark),
      ...(facts.ramdisk === undefined ? {} : { initrdAt: facts.ramdisk.start }),
    },
    cmdline: commandLineOf(facts, options.asLogged, remark),
  };
  return { data, remarks };
}
