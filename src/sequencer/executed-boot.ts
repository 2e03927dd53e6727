/**
 * A boot that executes a kernel image's own instructions: machine, firmware and loader of a scenario, then the image from
 * its ELF's entry, with the zero page that its decompressor leaves. No kernel model, no patches.
 */
import { asSource, type ByteSource } from '../base/byte-source.js';
import { BOOT_PARAMS } from '../firmware/boot-params.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { builtInInitrd } from '../firmware/initrd.js';
import { load, LOADER_LAYOUT, type Loaded } from '../firmware/loader.js';
import { pa, va, type Va } from '../machine/address.js';
import { PcAt } from '../machine/devices/pc-at.js';
import type { Uart16550 } from '../machine/devices/uart-16550.js';
import type { Machine, MachineSnapshot } from '../machine/machine.js';
import type { BlockCipherFactory } from '../machine/types.js';
import { firmwareOf } from '../scenario/firmware.js';
import { initrdPlace, kernelRoom } from '../scenario/memory-layout.js';
import type { Scenario } from '../scenario/scenario.js';
import { setupDataOf } from '../scenario/setup-data.js';
import { machineOf } from './machine-of.js';
import { Executor, type ExecutorSnapshot, type RunEnd, type RunOptions } from '../x86/executor.js';

export interface ExecutedBootOptions {
  readonly scenario: Scenario;
  readonly image: KernelImage;
  /** Default: the built-in initrd. */
  readonly initrd?: Uint8Array | ByteSource;
  readonly cipher: BlockCipherFactory;
  /** Encrypt on the first read of the ciphertext (the default), or at once. */
  readonly lazy?: boolean;
  /** Whether accesses to lines in the cache skip its search (the default); the effect is the same. */
  readonly direct?: boolean;
  /** Runs of a block of code after which it is translated to JavaScript; Infinity: never. The effect is the same. */
  readonly translateAfter?: number;
}

/** Bit 7 of xloadflags: XLF_MEM_ENCRYPTION (arch/x86/include/uapi/asm/bootparam.h, since 6.9). */
const XLF_MEM_ENCRYPTION = 0x80;
/** The first release whose decompressor parses `mem_encrypt=` (arch/x86/boot/compressed/misc.c). */
const PARSED_SINCE = { major: 6, minor: 9 } as const;

/** Whether an image's decompressor parses `mem_encrypt=`; an image that names no version does not. */
function parsesMemEncrypt({ version = '' }: KernelImage): boolean {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return false;
  const { major: since, minor: from } = PARSED_SINCE;
  return Number(major) > since || (Number(major) === since && Number(minor) >= from);
}

/** Where an option first stands as a word of its own, counted from 1; 0: nowhere (cmdline_find_option_bool). */
function positionOf(cmdline: string, option: string): number {
  let at = 0;
  for (const word of cmdline.split(' ')) {
    if (word === option) return at + 1;
    at += word.length + 1;
  }
  return 0;
}

/** Whether the decompressor of a kernel since 6.9 passes XLF_MEM_ENCRYPTION on. */
function encryptionRequested(cmdline: string | null): boolean {
  if (cmdline === null) return false;
  return positionOf(cmdline, 'mem_encrypt=on') > positionOf(cmdline, 'mem_encrypt=off');
}

/** The state of an executed boot, structured-clonable. */
export interface ExecutedBootSnapshot {
  readonly machine: MachineSnapshot;
  readonly executor: ExecutorSnapshot;
}

export class ExecutedBoot {
  readonly machine: Machine;
  readonly executor: Executor;
  readonly loaded: Loaded;
  readonly devices: PcAt;
  readonly uart: Uart16550;
  readonly image: KernelImage;

  /** Loads the machine; the next instruction is the image's first. */
  constructor({ scenario, image, initrd: given, cipher, ...more }: ExecutedBootOptions) {
    const { lazy = true, direct = true, translateAfter } = more;
    this.image = image;
    const { machine, loader, firmware, cmdline } = scenario;
    this.machine = machineOf(scenario, cipher, lazy);
    this.devices = new PcAt(this.machine);
    this.uart = this.devices.uart;
    const initrd = asSource(given ?? builtInInitrd(loader.initrdSize));
    const { kernelAt, cmdlineAt, zeroPageAt } = loader;
    this.loaded = load(this.machine, {
      image,
      overlay: [],
      initrd,
      initrdAt: initrdPlace(scenario, initrd.length, kernelRoom(image, kernelAt)),
      cmdline,
      ...(kernelAt !== undefined && { kernelAt }),
      ...(cmdlineAt !== undefined && { cmdlineAt }),
      ...(zeroPageAt !== undefined && { zeroPageAt }),
      setupData: setupDataOf(scenario, undefined),
      firmware: firmwareOf(scenario),
      bios: firmware,
      vga: machine.vga,
    });
    if (parsesMemEncrypt(image) && encryptionRequested(cmdline)) {
      const at = BOOT_PARAMS.xloadflags;
      const flags = (this.loaded.zeroPage[at] ?? 0) | XLF_MEM_ENCRYPTION;
      this.loaded.zeroPage[at] = flags;
      this.machine.dmaWrite(pa((zeroPageAt ?? LOADER_LAYOUT.zeroPage) + at), Uint8Array.of(flags));
    }
    this.machine.cpus[0].rip = va(this.loaded.entry);
    this.executor = new Executor(this.machine, this.machine.cpus[0], {
      direct,
      ...(translateAfter !== undefined && { translateAfter }),
      platform: this.devices,
    });
  }

  run(options?: RunOptions): RunEnd {
    return this.executor.run(options);
  }

  snapshot(): ExecutedBootSnapshot {
    return { machine: this.machine.snapshot(), executor: this.executor.snapshot() };
  }

  /** Goes on from a snapshot of a boot with the same options. */
  restore({ machine, executor }: ExecutedBootSnapshot): void {
    this.machine.restore(machine);
    this.executor.restore(executor);
  }

  /** The address of a symbol of the image. Throws RangeError where it has none. */
  symbol(name: string): Va {
    const symbol = this.image.symbols.get(name);
    if (symbol === undefined) throw new RangeError(`${name}: no such symbol`);
    return va(symbol.address);
  }

  /** The addresses at which an instruction of a symbol can be executed: as linked, and by its physical address. */
  addressesOf(name: string): readonly [linked: Va, physical: Va] {
    const linked = this.symbol(name);
    return [linked, va(linked - this.symbol('_text') + this.loaded.kernelAt)];
  }

  /** Runs to the entry of a function, under either address. Returns the run's end. */
  runTo(name: string, maxInstructions = Infinity): RunEnd {
    return this.run({ breakpoints: new Set(this.addressesOf(name)), maxInstructions });
  }
}
