/**
 * The kernel program: an image's symbols and bytes, completed by an overlay for the names that the image lacks.
 *
 * A variable has the image's address if the image has its symbol with enough room and the contents that the base kernel
 * gives it; a function if the image has its symbol. All other names are in the overlay, a range inside [_text, _end)
 * that the loader fills. Our choice: the overlay is the last page-aligned range of .bss without a variable of the model,
 * and clear_bss() does not clear it; an image with a range reserved for it (`__overlay_start`, `__overlay_end`) has it
 * in .data.
 */
import { InputError } from '../base/errors.js';
import { alignDown, alignUp, PAGE_SIZE, va, type Va } from '../machine/address.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { __START_KERNEL_map } from './constants.js';
import { ImagePlaces } from './image-places.js';
import type { LinkAddresses, Variable } from './variables.js';

/** Size in bytes of a function in the overlay: enough to fetch and compare. */
const OVERLAY_FUNCTION_SIZE = 64;
/** Alignment of functions in bytes (arch/x86: CONFIG_X86_64's default of GCC). */
const FUNCTION_ALIGN = 16;

/** A function to place; `size` in bytes if that of its code is known. */
export interface CodePlan {
  readonly name: string;
  readonly size?: number;
  /** The kernel file of a function that the table has no entry for. */
  readonly file?: string;
}

export interface OverlayEntry {
  readonly name: string;
  readonly address: Va;
  readonly size: number;
  readonly kind: 'function' | 'variable';
}

/** A name without an address in the image. */
interface MissingName {
  readonly name: string;
  readonly size: number;
  readonly align: number;
  readonly kind: OverlayEntry['kind'];
}

interface Placed {
  address: Va;
  size: number;
}

/** The linked program: the address of every name, and the bytes there. */
export class Program implements LinkAddresses {
  readonly overlay: OverlayEntry[] = [];
  /** Link addresses of the overlay, `end` exclusive. */
  readonly overlayRange: { start: Va; end: Va };
  private readonly names = new Map<string, Placed>();
  private readonly overlayBytes: Uint8Array;
  private readonly places: ImagePlaces;
  private readonly files: ReadonlyMap<string, string | undefined>;
  /** Cache of nameAt(): a boot looks up the same few addresses repeatedly. */
  private readonly known = new Map<number, { name: string; offset: number } | undefined>();

  constructor(
    readonly image: KernelImage,
    variables: readonly Variable[],
    functions: readonly CodePlan[],
  ) {
    const names = functions.map(({ name }) => name);
    this.files = new Map(functions.map(({ name, file }) => [name, file]));
    this.places = new ImagePlaces(image, variables, names);
    const missing = this.missing(variables, functions);
    this.overlayRange = this.findOverlayRoom(variables, missing);
    this.overlayBytes = new Uint8Array(this.overlayRange.end - this.overlayRange.start);
    const end = materialize(missing, this.overlayRange.start, (entry) => this.overlay.push(entry));
    if (end > this.overlayRange.end) {
      throw this.overlayFull(end - this.overlayRange.start, this.overlayBytes.length);
    }
    const addresses = new Map(this.overlay.map(({ name, address }) => [name, address]));
    const place = (name: string, inImage: Va | undefined): Va =>
      addresses.get(name) ?? inImage ?? va(0);
    for (const variable of variables) {
      const address = place(variable.name, this.places.variable(variable));
      this.names.set(variable.name, { address, size: variable.size });
      for (const [part, offset] of Object.entries(variable.parts ?? {})) {
        this.names.set(part, { address: va(address + offset), size: variable.size - offset });
      }
    }
    for (const { name, size = OVERLAY_FUNCTION_SIZE } of functions) {
      const symbol = this.places.symbol(name);
      const address = place(name, symbol);
      if (symbol === undefined) this.fillOverlay(address, filler(name, size));
      this.names.set(name, { address, size: symbol === undefined ? size : this.places.room(name) });
    }
    // Contents hold addresses of other names, so every name is placed first.
    for (const variable of variables) {
      const init = variable.init?.(this);
      if (init !== undefined) this.fillOverlay(this.link(variable.name), init);
    }
  }

  /** The link address of a name of the model or of the image. Throws E_NO_SYMBOL if neither has it. */
  link(name: string): Va {
    const address = this.names.get(name)?.address ?? this.places.symbol(name);
    if (address === undefined) {
      throw new InputError({
        code: 'E_NO_SYMBOL',
        reason: `the kernel has no symbol "${name}"`,
        place: { file: this.image.file },
      });
    }
    return address;
  }

  /** Whether a name has an address. */
  has(name: string): boolean {
    return this.names.has(name) || this.places.symbol(name) !== undefined;
  }

  /** Size in bytes of a modelled variable or of overlay code; otherwise the distance to the next symbol. */
  sizeOf(name: string): number {
    return this.names.get(name)?.size ?? this.places.room(name);
  }

  /** The kernel file of a function that has no body in the table; undefined if it is not known. */
  fileOf(name: string): string | undefined {
    return this.files.get(name);
  }

  /** The program's bytes at a link address, from the overlay or else the image; undefined outside both. */
  bytesAt(address: Va, length: number): Uint8Array | undefined {
    const inOverlay = address - this.overlayRange.start;
    if (inOverlay >= 0 && inOverlay + length <= this.overlayBytes.length) {
      return this.overlayBytes.subarray(inOverlay, inOverlay + length);
    }
    for (const segment of this.image.segments) {
      const offset = address - segment.vaddr;
      if (offset >= 0 && offset + length <= segment.bytes.length) {
        return segment.bytes.subarray(offset, offset + length);
      }
    }
    return undefined;
  }

  /** What the loader writes over the image for the overlay: link address and bytes of each entry. */
  overlaySegments(): { link: Va; bytes: Uint8Array }[] {
    return this.overlay.map(({ address, size }) => {
      const offset = address - this.overlayRange.start;
      return { link: address, bytes: this.overlayBytes.subarray(offset, offset + size) };
    });
  }

  /** The name whose range holds a link address, with the offset in it; undefined if there is none. */
  nameAt(address: number): { name: string; offset: number } | undefined {
    if (!this.known.has(address)) this.known.set(address, this.findName(address));
    return this.known.get(address);
  }

  private findName(address: number): { name: string; offset: number } | undefined {
    let best: { name: string; offset: number } | undefined;
    for (const [name, placed] of this.names) {
      const offset = address - placed.address;
      if (offset >= 0 && offset < placed.size && (best === undefined || offset < best.offset)) {
        best = { name, offset };
      }
    }
    return best ?? this.image.symbols.at(address);
  }

  /** All modelled names with their link addresses and sizes in bytes. */
  modelled(): IterableIterator<[string, { address: Va; size: number }]> {
    return this.names.entries();
  }

  private fillOverlay(address: Va, bytes: Uint8Array): void {
    const offset = address - this.overlayRange.start;
    if (offset >= 0 && offset + bytes.length <= this.overlayBytes.length) {
      this.overlayBytes.set(bytes, offset);
    }
  }

  /** The names without an address in the image, in the order of the overlay. */
  private missing(variables: readonly Variable[], functions: readonly CodePlan[]): MissingName[] {
    return [
      ...variables
        .filter((variable) => this.places.variable(variable) === undefined)
        .map(({ name, size, align }) => ({ name, size, align, kind: 'variable' as const })),
      ...functions
        .filter(({ name }) => this.places.symbol(name) === undefined)
        .map(({ name, size = OVERLAY_FUNCTION_SIZE }) => ({
          name,
          size,
          align: FUNCTION_ALIGN,
          kind: 'function' as const,
        })),
    ];
  }

  private findOverlayRoom(
    variables: readonly Variable[],
    missing: readonly MissingName[],
  ): { start: Va; end: Va } {
    const start = this.places.symbol('__overlay_start');
    const end = this.places.symbol('__overlay_end');
    if (start !== undefined && end !== undefined) return { start, end };
    const size = materialize(missing, va(0));
    const align = missing.reduce((most, each) => Math.max(most, each.align), PAGE_SIZE);
    const bssStop = this.places.symbol('__bss_stop') ?? this.link('_end');
    const bssStart = this.places.symbol('__bss_start') ?? __START_KERNEL_map;
    const taken = variables.flatMap((variable) => {
      const at = this.places.variable(variable);
      return at === undefined ? [] : [{ at, end: at + variable.size }];
    });
    for (let top: number = bssStop; ;) {
      const from = alignDown(top - size, align);
      if (from < bssStart) throw this.overlayFull(size, bssStop - bssStart);
      const overlapping = taken.filter((each) => each.at < from + size && each.end > from);
      if (overlapping.length === 0) return { start: va(from), end: va(from + size) };
      top = Math.min(...overlapping.map(({ at }) => at));
    }
  }

  private overlayFull(needed: number, room: number): InputError {
    return new InputError({
      code: 'E_OVERLAY_FULL',
      reason: 'the kernel image has no .bss large enough for the names that it lacks',
      place: { file: this.image.file },
      expected: `${String(needed)} bytes`,
      found: `${String(room)} bytes`,
    });
  }
}

/** Assigns each an aligned address from `start` on; returns the end of the last one. */
function materialize(
  missing: readonly MissingName[],
  start: Va,
  placed?: (entry: OverlayEntry) => void,
): number {
  let next: number = start;
  for (const { name, size, align, kind } of missing) {
    const address = va(alignUp(next, align));
    next = address + size;
    placed?.({ name, address, size, kind });
  }
  return next;
}

/** FNV-1a of a name, 32 bits. */
function fnv1a(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}

/** Bytes of a near call. */
const CALL_LENGTH = 5;

/**
 * Offset of the return address of a call of `callee` in a function of `size` bytes. Our choice, since the model has no
 * code: each callee has one call site in the caller, at an offset derived from its name, so that a loop of calls has one
 * return address, independent of earlier calls.
 */
export function callSite(callee: string, size: number): number {
  const sites = Math.max(1, Math.floor((size - 1) / CALL_LENGTH));
  return CALL_LENGTH * (1 + ((fnv1a(callee) >>> 0) % sites));
}

/** Deterministic bytes for a function's code: FNV-1a of its name, then an LCG (our choice). `length` in bytes. */
export function filler(name: string, length: number): Uint8Array {
  let hash = fnv1a(name);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    hash = (Math.imul(hash, 1664525) + 1013904223) | 0;
    bytes[i] = hash >>> 24;
  }
  return bytes;
}
