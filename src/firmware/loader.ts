/**
 * Firmware and loader: the contents of memory, and the state of the CPU, when the kernel's first instruction runs.
 * All writes are DMA without the C-bit: nothing is encrypted yet.
 */
import { checkLimit, LIMITS } from '../base/limits.js';
import { own } from '../base/own.js';
import { chunksOf, type ByteSource } from '../base/byte-source.js';
import { InputError } from '../base/errors.js';
import { pa, PAGE_SIZE, va } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import { VGA_COLUMNS, VGA_LINES } from '../machine/devices/vga.js';
import { BOOT_PARAMS, LOADER_UNDEFINED } from './boot-params.js';
import { SETUP_TYPE } from './efi/layout.js';
import { enterLongMode, identityGib, identityMapSize } from './identity-map.js';
import type { KernelImage } from './image/kernel-image.js';
import { stubEnd, type Stub } from './image/stub.js';
import {
  placedBy,
  regionOf,
  type E820Range,
  type Firmware,
  type HandOver,
  type Region,
  type Blob,
} from './placed.js';
import { enterStub, entryOf, GDT_SIZE, type StubEntry } from './stub-entry.js';
import { placeSetupData, type PlacedSetupData, type SetupDataNode } from './setup-data.js';

/** ARRAY_SIZE(boot_params.e820_map): further entries go into the setup_data chain (boot.txt, SETUP_E820_EXT). */
const E820MAX = 128;

export type { E820Range, Region } from './placed.js';

export interface LoadRequest {
  readonly image: KernelImage;
  /** Physical load address of the image; absent: the image's preferred one. */
  readonly kernelAt?: number;
  /** Bytes that overwrite parts of the image, at link addresses. */
  readonly overlay: readonly { readonly link: number; readonly bytes: Uint8Array }[];
  readonly initrd: ByteSource;
  readonly initrdAt: number;
  /** null: no command line, and cmd_line_ptr is 0. */
  readonly cmdline: string | null;
  /** Physical address of the command line; absent: that of LOADER_LAYOUT. */
  readonly cmdlineAt?: number;
  /** Physical address of the zero page; absent: that of LOADER_LAYOUT. */
  readonly zeroPageAt?: number;
  /** The nodes of the setup_data chain, in order. */
  readonly setupData?: readonly SetupDataNode[];
  readonly firmware: Firmware;
  /** Segment of the extended BIOS data area and KiB of conventional memory. */
  readonly bios: { readonly ebdaSegment: number; readonly lowmemKilobytes: number };
  /** The machine has a VGA in text mode. */
  readonly vga?: boolean;
  /** The stub of the image is loaded instead of its kernel, and entered there. */
  readonly stub?: Stub & { readonly entry: StubEntry };
}

/** The contents of the zero page. */
export interface ZeroPageRequest extends Pick<LoadRequest, 'image' | 'initrdAt' | 'vga'> {
  /** Physical address of the protected-mode code; absent: there is none, the kernel itself is entered. */
  readonly code32At?: number;
  readonly initrd: Pick<ByteSource, 'length'>;
  readonly e820: readonly E820Range[];
  /** Physical address of the command line; 0 for none. */
  readonly cmdlineAt: number;
  /** Bytes of struct efi_info. */
  readonly efiInfo?: Uint8Array;
  /** Physical address of the first node of the setup_data chain. */
  readonly setupDataAt?: number;
}

export interface Loaded {
  /** The regions that the loader uses. */
  readonly regions: readonly Region[];
  /** The regions of the firmware that contain a blob. */
  readonly firmwareRegions: readonly Region[];
  /** The blobs that firmware put into memory, including those of the hand-over. */
  readonly blobs: readonly Blob[];
  /** Physical address of the image's first byte. */
  readonly kernelAt: number;
  readonly entry: number;
  readonly zeroPage: Uint8Array;
  /** The command line's buffer of CMDLINE_ROOM bytes; null if there is no command line. */
  readonly cmdline: Uint8Array | null;
  /** The setup_data chain in memory. */
  readonly setupData: readonly PlacedSetupData[];
}

/** Physical addresses of the loader's data below 640 KiB (our choice, among those that boot loaders use). */
export const LOADER_LAYOUT = {
  gdt: 0x6_0000,
  pageTables: 0x7_0000,
  setupData: 0x8_0000,
  zeroPage: 0x9_0000,
  cmdline: 0x9_9000,
} as const;
/** Size of the command line's buffer in bytes. */
export const CMDLINE_ROOM = LIMITS.commandLine.most + 1;
/** Interrupt vectors and BIOS data area, used by BIOS and EFI firmware. */
const BIOS_DATA: Region = { name: 'interrupt vectors and BIOS data area', base: 0, size: 0x500 };
const BDA_EBDA_SEGMENT = 0x40e;
const BDA_LOWMEM = 0x413;
const E820_ENTRY = 20;
/** INT 10h: the text mode, BX of AH=12h BL=10h (colour, 256 KiB), and the height of its font. */
const TEXT_MODE = 3;
const EGA_BX = 3;
const FONT_HEIGHT = 16;

/** Physical addresses of an image: of its first byte and after its last, and what is added to its linked ones. */
function placesOf({ image, kernelAt: given, stub }: LoadRequest): {
  kernelAt: number;
  last: number;
  shift: number;
} {
  const first = image.segments.reduce((min, s) => Math.min(min, s.paddr), Infinity);
  const kernelAt = given ?? stub?.preferred ?? first;
  const shift = kernelAt - first;
  if (stub !== undefined) return { kernelAt, shift, last: stubEnd(stub, kernelAt) };
  const last = image.segments.reduce((max, s) => Math.max(max, s.paddr + s.memsz), 0) + shift;
  return { kernelAt, shift, last };
}

/** Writes the segments of an image, and over them the parts that replace it. */
function writeKernel(machine: Machine, { image, overlay }: LoadRequest, shift: number): void {
  for (const { paddr, bytes } of image.segments) machine.dmaLoad(pa(paddr + shift), bytes);
  const first = image.segments.reduce((min, s) => Math.min(min, s.paddr), Infinity);
  const link = image.segments.reduce((min, s) => (s.paddr === first ? s.vaddr : min), 0);
  for (const segment of overlay) {
    machine.dmaWrite(pa(first + shift + segment.link - link), segment.bytes);
  }
}

/** Loads everything and leaves the CPU at the kernel's entry in long mode with an identity map, or at its stub's. */
export function load(machine: Machine, request: LoadRequest): Loaded {
  const { image, stub } = request;
  const { kernelAt, last, shift } = placesOf(request);
  const zeroPageAt = request.zeroPageAt ?? LOADER_LAYOUT.zeroPage;
  const cmdline = request.cmdline === null ? null : commandLineBytes(request.cmdline);
  const cmdlineAt = cmdline === null ? 0 : (request.cmdlineAt ?? LOADER_LAYOUT.cmdline);
  const handedOver: Region[] = [
    { name: 'boot params', base: zeroPageAt, size: PAGE_SIZE },
    ...(cmdline === null ? [] : [{ name: 'command line', base: cmdlineAt, size: CMDLINE_ROOM }]),
  ];
  const identity = identityGib(kernelAt, last, handedOver);
  const own: Region[] = [
    // The 32-bit entry has no paging.
    ...(stub?.entry === 32
      ? []
      : [
          {
            name: 'loader page tables',
            base: LOADER_LAYOUT.pageTables,
            size: identityMapSize(identity),
          },
        ]),
    ...(stub === undefined
      ? []
      : [{ name: 'loader GDT', base: LOADER_LAYOUT.gdt, size: GDT_SIZE }]),
    ...handedOver,
    { name: 'kernel image', base: kernelAt, size: last - kernelAt },
    { name: 'initrd', base: request.initrdAt, size: request.initrd.length },
  ];
  const { firmware } = request;
  const { regions, setupData, handOver } = handOverFrom(request, own);
  checkLayout(machine, [BIOS_DATA, ...regions, ...firmware.regions], keysOf(request));
  const blobs = [...firmware.blobs, ...handOver.blobs];
  for (const { base, bytes } of blobs) machine.dmaWrite(pa(base), bytes);

  if (stub === undefined) writeKernel(machine, request, shift);
  else machine.dmaLoad(pa(kernelAt), stub.bytes);
  for (const { at, bytes } of chunksOf(request.initrd)) {
    machine.dmaWrite(pa(request.initrdAt + at), bytes);
  }
  if (cmdline !== null) machine.dmaWrite(pa(cmdlineAt), cmdline);
  for (const { at, bytes } of setupData) machine.dmaWrite(pa(at), bytes);
  const zeroPage = makeZeroPage({
    ...request,
    ...handOver,
    cmdlineAt,
    setupDataAt: setupData[0]?.at ?? 0,
    ...(stub !== undefined && { code32At: kernelAt }),
  });
  machine.dmaWrite(pa(zeroPageAt), zeroPage);
  const { ebdaSegment, lowmemKilobytes } = request.bios;
  const word = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);
  machine.dmaWrite(pa(BDA_EBDA_SEGMENT), word(ebdaSegment));
  machine.dmaWrite(pa(BDA_LOWMEM), word(lowmemKilobytes));
  if (stub?.entry !== 32) enterLongMode(machine, LOADER_LAYOUT.pageTables, identity);
  machine.cpus[0].setGeneral('rsi', va(zeroPageAt));
  if (stub !== undefined) enterStub(machine, stub.entry, LOADER_LAYOUT.gdt);
  return {
    regions,
    firmwareRegions: firmware.regions.filter((region) => holdsAny(region, blobs)),
    blobs,
    kernelAt,
    entry: stub === undefined ? image.entry + shift : entryOf(stub.entry, kernelAt),
    zeroPage,
    cmdline,
    setupData,
  };
}

const holdsAny = (region: Region, blobs: readonly Blob[]): boolean =>
  blobs.map(regionOf).some(({ base }) => base >= region.base && base < region.base + region.size);

/** Returns the scenario key that determines the address of one of some regions, preferably one that was given. */
function keysOf(request: LoadRequest): (...names: string[]) => string {
  const given: Readonly<Record<string, unknown>> = {
    'boot params': request.zeroPageAt,
    'command line': request.cmdlineAt,
    'kernel image': request.kernelAt,
  };
  return (...names) => {
    const ordered = [...names].sort(
      (a, b) => Number(own(given, a) === undefined) - Number(own(given, b) === undefined),
    );
    return ordered.map(placedBy).find((key) => key !== undefined) ?? 'layout';
  };
}

/** Throws E_LAYOUT_OVERLAP for regions that overlap, E_LAYOUT_NO_RAM for one outside RAM. */
function checkLayout(
  machine: Machine,
  regions: readonly Region[],
  keyOf: (...names: string[]) => string,
): void {
  const sorted = [...regions].filter((r) => r.size > 0).sort((a, b) => a.base - b.base);
  for (const [index, region] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && region.base + region.size > next.base) {
      throw new InputError({
        code: 'E_LAYOUT_OVERLAP',
        reason: `${region.name} and ${next.name} overlap in memory`,
        place: { path: keyOf(next.name, region.name) },
        expected: `${next.name} at or above 0x${(region.base + region.size).toString(16)}`,
        found: `0x${next.base.toString(16)}`,
      });
    }
    for (const address of [region.base, region.base + region.size - 1]) {
      if (machine.dram.has(address)) continue;
      throw new InputError({
        code: 'E_LAYOUT_NO_RAM',
        reason: `${region.name} reaches 0x${address.toString(16)}, where the machine has no RAM`,
        place: { path: keyOf(region.name) },
        expected: `${region.size} bytes of RAM`,
        found: `0x${region.base.toString(16)}`,
      });
    }
  }
}

/** The command line's buffer: its bytes, then zeros. Throws E_CMDLINE_TOO_LONG for one that does not fit. */
export function commandLineBytes(text: string): Uint8Array {
  const buffer = new Uint8Array(CMDLINE_ROOM);
  buffer.set(encodeCommandLine(text));
  return buffer;
}

function encodeCommandLine(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  checkLimit(LIMITS.commandLine, bytes.length, { path: 'cmdline' });
  return bytes;
}

/** The zero page: the image's setup header and the loader's fields, the rest zero (Documentation/x86/boot.txt). */
export function makeZeroPage(request: ZeroPageRequest): Uint8Array {
  const page = new Uint8Array(BOOT_PARAMS.size);
  const view = new DataView(page.buffer);
  page.set(request.image.setupHeader ?? new Uint8Array(0), BOOT_PARAMS.hdr);
  view.setUint8(BOOT_PARAMS.sentinel, 0);
  view.setUint8(BOOT_PARAMS.type_of_loader, LOADER_UNDEFINED);
  const split = (low: number, high: number, value: number): void => {
    view.setUint32(low, value % 2 ** 32, true);
    view.setUint32(high, Math.floor(value / 2 ** 32), true);
  };
  if (request.vga === true) fillScreenInfo(view);
  if (request.initrd.length > 0) {
    split(BOOT_PARAMS.ramdisk_image, BOOT_PARAMS.ext_ramdisk_image, request.initrdAt);
    split(BOOT_PARAMS.ramdisk_size, BOOT_PARAMS.ext_ramdisk_size, request.initrd.length);
  }
  split(BOOT_PARAMS.cmd_line_ptr, BOOT_PARAMS.ext_cmd_line_ptr, request.cmdlineAt);
  if (request.code32At !== undefined) {
    view.setUint32(BOOT_PARAMS.code32_start, request.code32At, true);
  }
  if (request.efiInfo !== undefined) page.set(request.efiInfo, BOOT_PARAMS.efi_info);
  const direct = request.e820.slice(0, E820MAX);
  view.setUint8(BOOT_PARAMS.e820_entries, direct.length);
  page.set(e820Bytes(direct), BOOT_PARAMS.e820_map);
  view.setBigUint64(BOOT_PARAMS.setup_data, BigInt(request.setupDataAt ?? 0), true);
  return page;
}

/** An array of struct e820entry, which is packed. */
function e820Bytes(ranges: readonly E820Range[]): Uint8Array {
  const bytes = new Uint8Array(ranges.length * E820_ENTRY);
  const view = new DataView(bytes.buffer);
  for (const [index, range] of ranges.entries()) {
    const at = index * E820_ENTRY;
    view.setBigUint64(at, BigInt(range.base), true);
    view.setBigUint64(at + 8, BigInt(range.size), true);
    view.setUint32(at + 16, range.type, true);
  }
  return bytes;
}

/**
 * The hand-over from the firmware and the setup_data chain, which depend on each other: the entries of the memory map
 * that do not fit the zero page are a node of the chain, and the chain's memory is in the map.
 */
function handOverFrom(
  { firmware, setupData: nodes = [] }: LoadRequest,
  own: readonly Region[],
): { regions: Region[]; setupData: PlacedSetupData[]; handOver: HandOver } {
  const isCode = ({ name }: Region): boolean => name === 'kernel image';
  let rest: readonly E820Range[] = [];
  for (;;) {
    const more =
      rest.length === 0
        ? []
        : [{ name: 'e820 extension', type: SETUP_TYPE.E820_EXT, data: e820Bytes(rest) }];
    const setupData = placeSetupData([...more, ...nodes], LOADER_LAYOUT.setupData);
    const chain = setupData.map(({ name, at, bytes }) => ({ name, base: at, size: bytes.length }));
    const regions = [...own, ...chain];
    const handOver = firmware.handOver({
      code: regions.filter(isCode),
      data: regions.filter((region) => !isCode(region)),
    });
    const beyond = handOver.e820.slice(E820MAX);
    if (JSON.stringify(beyond) === JSON.stringify(rest)) return { regions, setupData, handOver };
    rest = beyond;
  }
}

/** screen_info of a VGA in mode 3, as the real-mode setup code asks the video BIOS (arch/x86/boot/video.c). */
function fillScreenInfo(view: DataView): void {
  // Our choice: the screen is blank and the cursor on its last line, as after messages of firmware and loader.
  view.setUint8(BOOT_PARAMS.orig_y, VGA_LINES - 1);
  view.setUint8(BOOT_PARAMS.orig_video_mode, TEXT_MODE);
  view.setUint8(BOOT_PARAMS.orig_video_cols, VGA_COLUMNS);
  view.setUint16(BOOT_PARAMS.orig_video_ega_bx, EGA_BX, true);
  view.setUint8(BOOT_PARAMS.orig_video_lines, VGA_LINES);
  view.setUint8(BOOT_PARAMS.orig_video_isVGA, 1);
  view.setUint16(BOOT_PARAMS.orig_video_points, FONT_HEIGHT, true);
}
