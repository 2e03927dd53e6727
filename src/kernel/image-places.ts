/** The names of the model that a kernel image has: with enough room, and with the base kernel's contents. */
import { own } from '../base/own.js';
import { startsWith } from '../base/bytes.js';
import { va, type Va } from '../machine/address.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { __START_KERNEL_map } from './constants.js';
import type { LinkAddresses, Variable } from './variables.js';

/** Base names and their names in later kernels (4.17 renamed the page tables; 6.x split protection_map). */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  early_level4_pgt: ['early_top_pgt'],
  init_level4_pgt: ['init_top_pgt'],
  __end_init_task: ['__end_init_stack', '__top_init_kernel_stack'],
  page_fault: ['asm_exc_page_fault'],
  // gdt_page itself is an offset in the per-CPU area; this is the address of the boot CPU's first copy.
  gdt_page: ['init_per_cpu__gdt_page'],
};

/** Thrown for contents that hold the address of a name which is not in the image. */
class NotInImage extends Error {}

export class ImagePlaces {
  private readonly owners = new Map<string, { variable: Variable; offset: number }>();
  private readonly functions: ReadonlySet<string>;
  /** Cache of variable(); `pending` while its contents are computed. */
  private readonly decided = new Map<Variable, Va | 'pending' | undefined>();

  constructor(
    private readonly image: KernelImage,
    variables: readonly Variable[],
    functions: readonly string[],
  ) {
    this.functions = new Set(functions);
    for (const variable of variables) {
      this.owners.set(variable.name, { variable, offset: 0 });
      for (const [part, offset] of Object.entries(variable.parts ?? {})) {
        this.owners.set(part, { variable, offset });
      }
    }
  }

  /** The image's address of a name in the kernel mapping; undefined for per-CPU symbols, which are offsets from 0. */
  symbol(name: string): Va | undefined {
    const symbol = this.image.symbols.get(this.aliased(name) ?? name);
    return symbol !== undefined && symbol.address >= __START_KERNEL_map && symbol.address < 0
      ? va(symbol.address)
      : undefined;
  }

  /** Distance in bytes from a name of the image to the next symbol. */
  room(name: string): number {
    return this.image.symbols.room(this.aliased(name) ?? name);
  }

  /** The image's address of a variable; undefined if it has none, other contents, or too little room. */
  variable(variable: Variable): Va | undefined {
    const known = this.decided.get(variable);
    // Contents that refer to the variable itself: its address is being decided, so the image's symbol is used.
    if (known === 'pending') return this.symbol(variable.name);
    if (known !== undefined || this.decided.has(variable)) return known;
    this.decided.set(variable, 'pending');
    const place = this.fits(variable);
    this.decided.set(variable, place);
    return place;
  }

  private fits(variable: Variable): Va | undefined {
    const address = this.symbol(variable.name);
    if (address === undefined || address % variable.align !== 0) return undefined;
    let room = this.room(variable.name);
    for (const [part, offset] of Object.entries(variable.parts ?? {})) {
      if (this.symbol(part) !== address + offset) return undefined;
      // The symbol of a part ends the room that the symbol table gives for the variable itself.
      if (room === offset) room += this.room(part);
    }
    if (room < variable.size) return undefined;
    const expected = this.contents(variable);
    if (expected === undefined) return undefined;
    const found = this.bytesAt(address, variable.size);
    return startsWith(found, expected) ? address : undefined;
  }

  /** The base kernel's contents of a variable, zero-filled; undefined if they need a name that is not in the image. */
  private contents(variable: Variable): Uint8Array | undefined {
    const bytes = new Uint8Array(variable.size);
    try {
      bytes.set(variable.init?.(this.linked) ?? []);
    } catch (error) {
      if (!(error instanceof NotInImage)) throw error;
      return undefined;
    }
    return bytes;
  }

  private readonly linked: LinkAddresses = {
    link: (name) => {
      const owner = this.functions.has(name) ? undefined : this.owners.get(name);
      const address = owner === undefined ? this.symbol(name) : this.variable(owner.variable);
      if (address === undefined) throw new NotInImage(name);
      return va(address + (owner?.offset ?? 0));
    },
  };

  /** The image's bytes at a link address; zero outside segments, as .bss is. */
  private bytesAt(address: Va, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (const segment of this.image.segments) {
      const from = Math.max(address, segment.vaddr);
      const to = Math.min(address + length, segment.vaddr + segment.bytes.length);
      if (from >= to) continue;
      bytes.set(segment.bytes.subarray(from - segment.vaddr, to - segment.vaddr), from - address);
    }
    return bytes;
  }

  private aliased(name: string): string | undefined {
    if (this.image.symbols.get(name) !== undefined) return name;
    return own(ALIASES, name)?.find((alias) => this.image.symbols.get(alias) !== undefined);
  }
}
