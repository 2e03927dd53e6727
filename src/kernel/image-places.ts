/** Which names of the model a kernel image has a place for: with room enough, and with the base kernel's contents. */
import { startsWith } from '../base/bytes.js';
import { va, type Va } from '../machine/address.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { __START_KERNEL_map } from './constants.js';
import type { LinkAddresses, Variable } from './variables.js';

/** Base names and what later kernels call them (4.17 renamed the page tables; 6.x split protection_map). */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  early_level4_pgt: ['early_top_pgt'],
  init_level4_pgt: ['init_top_pgt'],
  __end_init_task: ['__end_init_stack', '__top_init_kernel_stack'],
  page_fault: ['asm_exc_page_fault'],
  // gdt_page itself counts from the start of the per-CPU area; this is where the boot CPU's first copy is.
  gdt_page: ['init_per_cpu__gdt_page'],
};

/** Contents that hold the address of a name which is not in the image. */
class Elsewhere extends Error {}

export class ImagePlaces {
  private readonly owners = new Map<string, { variable: Variable; offset: number }>();
  private readonly functions: ReadonlySet<string>;
  /** Answers of `variable`; `pending` while its contents are being made. */
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

  /** The image's address of a name in the kernel's mapping: what per-CPU symbols count from 0 is another space. */
  symbol(name: string): Va | undefined {
    const symbol = this.image.symbols.get(this.aliased(name) ?? name);
    return symbol !== undefined && symbol.address >= __START_KERNEL_map && symbol.address < 0
      ? va(symbol.address)
      : undefined;
  }

  /** The distance from a name of the image to the next symbol. */
  room(name: string): number {
    return this.image.symbols.room(this.aliased(name) ?? name);
  }

  /** The image's place for a variable; undefined where it has none, or other contents, or too little room. */
  variable(variable: Variable): Va | undefined {
    const known = this.decided.get(variable);
    // Contents that go round to themselves: the place is the question, so the answer is the image's symbol.
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
      // A part's symbol ends what the table knows of the variable's own room.
      if (room === offset) room += this.room(part);
    }
    if (room < variable.size) return undefined;
    const wanted = this.contents(variable);
    if (wanted === undefined) return undefined;
    const found = this.bytesAt(address, variable.size);
    return startsWith(found, wanted) ? address : undefined;
  }

  /** What the base gives a variable, the rest zero; undefined where it needs a name that is not in the image. */
  private contents(variable: Variable): Uint8Array | undefined {
    const bytes = new Uint8Array(variable.size);
    try {
      bytes.set(variable.init?.(this.linked) ?? []);
    } catch (error) {
      if (!(error instanceof Elsewhere)) throw error;
      return undefined;
    }
    return bytes;
  }

  private readonly linked: LinkAddresses = {
    link: (name) => {
      const owner = this.functions.has(name) ? undefined : this.owners.get(name);
      const address = owner === undefined ? this.symbol(name) : this.variable(owner.variable);
      if (address === undefined) throw new Elsewhere(name);
      return va(address + (owner?.offset ?? 0));
    },
  };

  /** The image's bytes at a link address; what no segment has is zero, as .bss is. */
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
    return ALIASES[name]?.find((alias) => this.image.symbols.get(alias) !== undefined);
  }
}
