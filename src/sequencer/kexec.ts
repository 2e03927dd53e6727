/**
 * The second kernel of a scenario with `kexec`: what kexec-tools would load, and how it is entered. It is linked and built
 * separately and runs on the same machine, with memory and caches as the first kernel left them.
 */
import { concat } from '../base/bytes.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import {
  CMDLINE_ROOM,
  commandLineBytes,
  makeZeroPage,
  type Loaded,
  type Region,
} from '../firmware/loader.js';
import { PURGATORY, purgatoryPage, runPurgatory } from '../firmware/purgatory.js';
import { BootEnd } from '../kernel/ends.js';
import { Kernel } from '../kernel/kernel.js';
import type { KexecSource } from '../linux/include/linux/kexec.js';
import { filler, Program } from '../kernel/program.js';
import { alignUp, PAGE_SIZE } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import { configOf, link, type LinkedKernel } from '../series/link.js';
import { compose } from '../series/compose.js';
import type { ByteSource } from '../base/byte-source.js';
import { InputError } from '../base/errors.js';
import type { Recorder } from '../trace/recorder.js';
import type { Digest } from './final-state.js';
import { efiRoom, efiSegment, produceEfi, type EfiSegment, type PassedEfi } from './kexec-efi.js';
import { e820Of, initrdPlace } from '../scenario/memory-layout.js';
import type { Scenario } from '../scenario/scenario.js';

/** Prefix of the labels of the second kernel's steps, and of the names of the data that it reads. */
export const KEXEC_LABEL = 'kexec:';
const NAME_PREFIX = 'kexec ';

/** A running kernel, with its link and load results. */
export interface Running {
  readonly linked: LinkedKernel;
  readonly program: Program;
  readonly loaded: Loaded;
  readonly kernel: Kernel;
}

/** The second kernel before it is entered. */
export interface NextKernel {
  readonly linked: LinkedKernel;
  readonly program: Program;
  readonly loaded: Loaded;
  /** The EFI data that is passed; undefined: none. */
  readonly efi: { readonly segment: EfiSegment; readonly map: Uint8Array } | undefined;
  /** The segments for kexec_load(). */
  readonly segments: readonly KexecSource[];
  readonly purgatory: number;
}

const PURGATORY_CODE = filler('purgatory', PURGATORY.codeSize);

/**
 * The result of `kexec -l vmlinux --initrd --command-line` for a scenario. Our choice, after kexec-tools' x86_64 loader:
 * the kernel at its own physical address, the rest below the initrd, a zero page as from our loader; on EFI with the data
 * that the running kernel passes.
 */
export function nextKernel(
  scenario: Scenario,
  stage: number,
  image: KernelImage,
  initrd: ByteSource,
  digest: Digest,
  passed: PassedEfi | null,
): NextKernel {
  const linked = link(compose({ stage, activate: false }).hunks);
  const program = new Program(image, linked.variables, linked.functions);
  const initrdAt = initrdPlace(scenario, initrd.length);
  const cmdlineAt = initrdAt - CMDLINE_ROOM;
  const zeroPageAt = cmdlineAt - PAGE_SIZE;
  const efiAt = zeroPageAt - (passed === null ? 0 : efiRoom(passed));
  const efi = passed === null ? undefined : { segment: efiSegment(passed, efiAt), map: passed.map };
  const purgatory = efiAt - PURGATORY.size;
  // kexec-tools always pass a command line, an empty one without --command-line.
  const cmdline = commandLineBytes(scenario.cmdline ?? '');
  const zeroPage = makeZeroPage({
    image,
    initrd,
    initrdAt,
    e820: passed?.e820 ?? e820Of(scenario),
    cmdlineAt,
    // The running kernel's screen_info (kexec-tools, setup_linux_system_parameters); our choice: as the loader made it.
    vga: scenario.machine.vga,
    ...(efi && { efiInfo: efi.segment.efiInfo, setupDataAt: efi.segment.setupDataAt }),
  });
  const kernel = kernelSegment(image, program);
  const covered = [
    kernel,
    ...(efi === undefined
      ? []
      : [{ mem: efiAt, memsz: efi.segment.memsz, buf: efi.segment.bytes }]),
    { mem: zeroPageAt, memsz: PAGE_SIZE, buf: zeroPage },
    { mem: cmdlineAt, memsz: CMDLINE_ROOM, buf: cmdline },
    { mem: initrdAt, memsz: alignUp(initrd.length, PAGE_SIZE), buf: initrd.read(0, initrd.length) },
  ].filter(({ memsz }) => memsz > 0);
  const page = purgatoryPage(PURGATORY_CODE, {
    rip: image.entry,
    rsi: zeroPageAt,
    digest: digest(concat(covered.map(padded))),
    segments: covered,
  });
  const regions: Region[] = [
    { name: 'purgatory', base: purgatory, size: PURGATORY.size },
    ...(efi?.segment.regions ?? []),
    { name: 'boot params', base: zeroPageAt, size: PAGE_SIZE },
    { name: 'command line', base: cmdlineAt, size: CMDLINE_ROOM },
    { name: 'kernel image', base: kernel.mem, size: kernel.memsz },
    { name: 'initrd', base: initrdAt, size: initrd.length },
  ];
  return {
    linked,
    program,
    loaded: {
      regions,
      kernelAt: kernel.mem,
      entry: image.entry,
      zeroPage,
      cmdline,
      firmwareRegions: [],
      blobs: [],
      setupData: [],
    },
    efi,
    segments: [...covered, { mem: purgatory, memsz: PURGATORY.size, buf: page }],
    purgatory,
  };
}

/** An image as one segment, with the overlay applied. */
function kernelSegment(image: KernelImage, program: Program): KexecSource {
  const first = image.segments.reduce((min, s) => (s.paddr < min.paddr ? s : min));
  const end = image.segments.reduce((max, s) => Math.max(max, s.paddr + s.memsz), 0);
  const memsz = alignUp(end - first.paddr, PAGE_SIZE);
  const buf = new Uint8Array(memsz);
  for (const { paddr, bytes } of image.segments) buf.set(bytes, paddr - first.paddr);
  for (const { link: at, bytes } of program.overlaySegments()) buf.set(bytes, at - first.vaddr);
  return { mem: first.paddr, memsz, buf };
}

function padded({ memsz, buf }: KexecSource): Uint8Array {
  const bytes = new Uint8Array(memsz);
  bytes.set(buf);
  return bytes;
}

/** /init loads the second kernel (kexec -l). Throws E_KEXEC if the running kernel refuses it. */
export function loadNext(kernel: Kernel, next: NextKernel): void {
  const result = kernel.fn.sys_kexec_load(next.purgatory, next.segments);
  if (result === 0) return;
  throw new InputError({
    code: 'E_KEXEC',
    reason: 'the running kernel refuses to load the second one',
    place: { path: 'kexec' },
    expected: '0 from kexec_load()',
    found: String(result),
  });
}

/** Runs purgatory up to the second kernel's entry. Throws BootEnd if it does not get there. */
export function crossPurgatory(kernel: Kernel, digest: Digest): void {
  const end = runPurgatory(kernel.cpu, PURGATORY_CODE, digest);
  if (end === 'digest') throw new BootEnd('hung', 'purgatory', 'sha256 digests do not match');
  if (end !== null) kernel.fault(end);
}

/** The second kernel on the machine, before its first instruction. */
export function enterNext(
  next: NextKernel,
  machine: Machine,
  scenario: Scenario,
  recorder: Recorder,
): Running {
  const { linked, program, loaded } = next;
  const [cpu] = machine.cpus;
  const kernel = new Kernel(
    machine,
    cpu,
    program,
    linked.table,
    configOf(scenario.config, next.linked),
    recorder,
    linked.freshState(),
  );
  kernel.state.slide = loaded.kernelAt - program.link('_text');
  return { linked, program, loaded, kernel };
}

/** Records the data for the second kernel as produced; names of data are prefixed from here on. */
export function produceNext(
  recorder: Recorder,
  next: NextKernel,
  initrd: Uint8Array | ByteSource,
  cmdlineSize: number,
  { machine, loaded }: { readonly machine: Machine; readonly loaded: Loaded },
): void {
  recorder.within(NAME_PREFIX);
  if (next.efi !== undefined) {
    produceEfi(recorder, machine, next.efi.segment, next.efi.map, loaded.blobs);
  }
  recorder.produced('boot params', next.loaded.zeroPage);
  const { cmdline } = next.loaded;
  if (cmdline !== null) recorder.produced('command line', cmdline.slice(0, cmdlineSize));
  recorder.produced('initrd', initrd);
}
