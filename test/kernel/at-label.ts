/** A booted kernel whose functions a test calls, restored to the same label before each test. */
import { PAGE_SIZE, PMD_SIZE, PUD_SIZE, va, type Va } from '../../src/machine/address.js';
import type { Kernel } from '../../src/kernel/kernel.js';
import { entryOf } from '../../src/linux/arch/x86/mm/pageattr/types.js';
import type { Boot, BootOptions } from '../../src/sequencer/boot.js';
import { boot, scenario } from '../helpers.js';

/** The mapping of an address in the page tables (not in the TLB). */
export interface Mapped {
  readonly pa: number;
  readonly c: number;
  readonly flags: string;
}

export class BootCheckpoint {
  readonly boot: Boot;
  private readonly snapshot;

  /** Runs a boot up to and including a label. */
  constructor(label: string, options: Partial<BootOptions> = {}) {
    this.boot = boot({ scenario: scenario('bios-minimal', 'machine.ram=256MiB'), ...options });
    this.boot.runTo(label);
    this.snapshot = this.boot.snapshot();
  }

  get k(): Kernel {
    return this.boot.kernel;
  }

  /** Restores the state at the label and opens a boot step for the test. */
  restore(): void {
    this.boot.restore(this.snapshot);
    this.boot.recorder.step('test');
  }

  mapped(address: Va): Mapped {
    const found = this.k.fn.lookup_address(address);
    const walked = this.k.cpu.traceWalk(address).at(-1);
    if (found === undefined || walked?.kind !== 'leaf') throw new Error('not mapped');
    const size = { 1: PAGE_SIZE, 2: PMD_SIZE, 3: PUD_SIZE }[found.level];
    const { pa, c, flags, type } = this.k.cpu.decodeEntry(walked.entry, size);
    const offset = address - Math.floor(address / size) * size;
    return { pa: pa + offset, c, flags: `${flags} ${type}` };
  }

  level(address: Va): number | undefined {
    return this.k.fn.lookup_address(address)?.level;
  }

  entry(address: Va): bigint {
    const found = this.k.fn.lookup_address(address);
    return found === undefined ? 0n : entryOf(this.k, found);
  }

  /** Clears the entry of a 4 KiB page and flushes the TLB. */
  unmap(address: Va): void {
    this.k.fn.set_memory_4k(address, 1);
    const found = this.k.fn.lookup_address(address);
    if (found !== undefined) this.k.writeU64(va(found.table + found.index * 8), 0n);
    this.k.fn.flush_tlb_all();
  }
}
