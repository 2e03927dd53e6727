/** Names of addresses in an executed boot: symbols of the image, regions of firmware and loader; and the code of accesses. */
import { InputError } from '../base/errors.js';
import { OriginNames } from '../trace/origin-names.js';
import type { KernelPlace } from './kernel-place.js';
import { regionAt, withOffset } from './symbols.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import type { Loaded } from '../firmware/loader.js';
import { PAGE_SIZE, va, type Va } from '../machine/address.js';
import type { Cpu } from '../machine/cpu/cpu.js';
import type { Origin } from '../machine/types.js';

/** The code of addresses that have no name of their own. */
const USER = 'user space';
const USER_CPL = 3;
/** The code that runs before the kernel's entry is reached: the stub of a bzImage. */
const STUB = 'decompressor';

/** What names depend on in the machine. */
export interface NamesHost {
  cpu(): Pick<Cpu, 'id' | 'cpl'>;
  kernelAt(address: Va): KernelPlace | undefined;
}

/**
 * How far the boot CPU has come. `running`: it executes the kernel at its virtual addresses. `left`: it has executed code of
 * CPL 0 below them afterwards, as kexec's does. What it comes to then may be another kernel, so that the image names nothing,
 * until its ELF entry is executed.
 */
export type Progress = 'begun' | 'running' | 'left';

export class ExecutedNames {
  /** Link address of the image's first byte, and of the one after its last. */
  private readonly start: number;
  private readonly end: number;
  /** The names of origins. */
  readonly origins = new OriginNames();
  progress: Progress = 'begun';

  constructor(
    private readonly image: KernelImage,
    private readonly loaded: Pick<Loaded, 'kernelAt' | 'regions' | 'firmwareRegions' | 'blobs'>,
    /** Where the kernel is; null: it is not known, because its decompressor runs, or it was left for other code. */
    public place: KernelPlace | null,
    /** The CPU that runs, and the place of a kernel whose ELF entry is at an address of it. */
    private readonly host: NamesHost,
  ) {
    // The per-CPU segment of older kernels is linked from 0 upward.
    const segments = image.segments.filter(({ vaddr }) => vaddr < 0);
    this.start = segments.reduce((min, { vaddr }) => Math.min(min, vaddr), 0);
    const last = segments.reduce((max, s) => Math.max(max, s.vaddr + s.memsz), -Infinity);
    this.end = image.symbols.get('_end')?.address ?? last;
  }

  /** Whether the image has a symbol. */
  has(name: string): boolean {
    return this.image.symbols.get(name) !== undefined;
  }

  /** The link address of a symbol. Throws RangeError where the image has none. */
  link(name: string): Va {
    const symbol = this.image.symbols.get(name);
    if (symbol === undefined) throw new RangeError(`${name}: no such symbol`);
    return va(symbol.address);
  }

  /** Bytes from a symbol to the next one. */
  sizeOf(name: string): number {
    return this.image.symbols.room(name);
  }

  /** The symbol of a link address in the image, with the offset in it; undefined if there is none. */
  nameAt(address: number): { name: string; offset: number } | undefined {
    if (address < this.start || address >= this.end) return undefined;
    return this.image.symbols.at(address);
  }

  /** All symbols of the image. */
  all(): Iterable<string> {
    return this.image.symbols.names();
  }

  /** Where the kernel is. Throws E_LABEL while the decompressor runs. */
  private get known(): KernelPlace {
    if (this.place !== null) return this.place;
    throw new InputError({
      code: 'E_LABEL',
      reason:
        this.progress === 'left'
          ? 'the kernel was left for other code, as by kexec: its symbols are no longer there'
          : 'the decompressor has not entered the kernel: where its symbols will be is not known',
      expected: 'a label of the kernel, or an address',
      found: this.progress === 'left' ? 'code without symbols' : STUB,
    });
  }

  /**
   * The addresses at which a symbol can be executed: its virtual and its physical one. Throws E_LABEL while the decompressor
   * runs.
   */
  addressesOf(name: string): readonly [virtual: Va, physical: Va] {
    const linked = this.link(name);
    const { kernelAt, offset } = this.known;
    return [va(linked + offset), va(linked - this.start + kernelAt)];
  }

  /**
   * Distance of code at a linear address from its link address: while it runs at its physical address, or with KASLR. Throws
   * E_LABEL while the decompressor runs.
   */
  slideAt(address: number): number {
    const { kernelAt, offset } = this.known;
    return address < 0 ? offset : kernelAt - this.start;
  }

  /** The symbol of a linear address; early code runs at its physical address. */
  private symbolAt(address: number): { name: string; offset: number } | undefined {
    if (this.place === null) return undefined;
    return this.nameAt(address - this.slideAt(address));
  }

  /** The code of a linear address before the kernel is entered; its offset only where the loader put it. */
  private stubAt(address: number): { name: string; offset: number } | undefined {
    if (this.progress === 'left') return undefined;
    const { regions, kernelAt } = this.loaded;
    const size = regions.find(({ name }) => name === 'kernel image')?.size ?? 0;
    const offset = address - kernelAt;
    return { name: STUB, offset: offset >= 0 && offset < size ? offset : 0 };
  }

  /** The function of an instruction's linear address, with the offset in it: `sme_enable+0x10`; undefined if it has none. */
  codeAt(address: number): string | undefined {
    const found = this.place === null ? this.stubAt(address) : this.symbolAt(address);
    return found === undefined ? undefined : withOffset(found.name, found.offset);
  }

  /** The function of an instruction's linear address; undefined if it has none. */
  functionAt(address: number): string | undefined {
    const found = this.place === null ? this.stubAt(address) : this.symbolAt(address);
    return found?.name;
  }

  /** The symbol or region of an address, with the offset in it; undefined if it has none. */
  symbolize(space: 'va' | 'pa', address: number): string | undefined {
    // Linear addresses of the kernel are its virtual ones.
    const found = space === 'va' && address >= 0 ? undefined : this.symbolAt(address);
    if (found !== undefined) return withOffset(found.name, found.offset);
    return space === 'pa' ? regionAt(this.loaded, address) : undefined;
  }

  /**
   * The origin of the accesses of the code at a linear address: its function, or the page where there is no symbol. Asked in
   * the order in which the CPUs come to code.
   */
  readonly originAt = (address: Va): Origin => {
    const { id, cpl } = this.host.cpu();
    if (cpl === USER_CPL) return this.origins.intern(USER);
    if (id === 0) this.follow(address);
    const known = this.functionAt(address);
    if (known !== undefined) return this.origins.intern(known);
    const page = BigInt.asUintN(64, BigInt(Math.floor(address / PAGE_SIZE) * PAGE_SIZE));
    return this.origins.intern(`code at 0x${page.toString(16)}`);
  };

  /** The boot CPU comes to code of CPL 0 that it has not executed before. */
  private follow(address: Va): void {
    if (this.progress === 'begun' && this.place !== null && address < 0) this.progress = 'running';
    if (address < 0) return;
    if (this.progress === 'running') {
      this.progress = 'left';
      this.place = null;
    }
    if (this.progress !== 'left') return;
    const place = this.host.kernelAt(address);
    if (place === undefined) return;
    this.place = place;
    this.progress = 'begun';
  }
}
