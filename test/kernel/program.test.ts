/** The overlay for names that an image lacks, on ELF images with a .bss that does not end on a page boundary. */
import { describe, expect, test } from '@jest/globals';
import { buildBuiltInImage } from '../../src/firmware/image/built-in.js';
import { readKernelImage, type KernelImage } from '../../src/firmware/image/kernel-image.js';
import { KEY_HOST, KEY_PLAIN, pa, PAGE_SIZE } from '../../src/machine/address.js';
import { BASE_VARIABLES } from '../../src/linux/index.js';
import { Program } from '../../src/kernel/program.js';
import { link } from '../../src/series/link.js';
import { buildElf, refusal, SECTIONS } from '../firmware/image/build.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { boot } from '../helpers.js';

const base = buildBuiltInImage(link([]).baseFunctions, BASE_VARIABLES);
const addressIn = (image: KernelImage, name: string): number =>
  image.symbols.get(name)?.address ?? NaN;
const BSS_START = addressIn(base, '__bss_start');
/** The end of .bss: inside a page. */
const BSS_STOP = addressIn(base, '__bss_stop') - 0x5a3;
const NAMES = new Set([
  ...link([]).baseFunctions,
  ...BASE_VARIABLES.flatMap(({ name, parts }) => [name, ...Object.keys(parts ?? {})]),
  ...['_text', '_etext', '__start_rodata', '__end_rodata', '_sdata', '_edata'],
  ...['__init_begin', '__init_end', '__bss_start', '__brk_base', '__brk_limit', '_end'],
]);
const [segment] = base.segments;
if (segment === undefined) throw new Error('the built-in image has no segment');

/** The built-in kernel as an ELF file without a range for the overlay, without some names and with others at other addresses. */
function elf(without: readonly string[], moved: Record<string, number> = {}): KernelImage {
  const symbols = [...NAMES]
    .filter((name) => !without.includes(name) && !(name in moved))
    .map((name) => ({ name, value: addressIn(base, name) }));
  const bss = (name: string, value: number) => ({ name, value, info: 0x11, shndx: SECTIONS.bss });
  const more = Object.entries({ __bss_stop: BSS_STOP, ...moved });
  return readKernelImage(
    buildElf({
      segments: [segment as NonNullable<typeof segment>],
      symbols: [...symbols, ...more.map(([name, value]) => bss(name, value))],
    }),
    { file: 'test' },
  );
}

const { variables, functions } = link([]);
const program = (image: KernelImage): Program => new Program(image, variables, functions);
const WITHOUT = ['bm_pte', 'phys_base', 'espfix_pud_page', 'set_intr_gate'];

describe('the overlay', () => {
  test('has the size of the missing names, at the last page where they fit', () => {
    const { overlay, overlayRange } = program(elf(WITHOUT));
    const last = overlay.at(-1);
    expect(overlay.map(({ name }) => name)).toEqual(expect.arrayContaining(['bm_pte']));
    expect(overlayRange.end).toBe((last?.address ?? 0) + (last?.size ?? 0));
    expect(Math.abs(overlayRange.start % PAGE_SIZE)).toBe(0);
    expect(overlayRange.end).toBeLessThanOrEqual(BSS_STOP);
    expect(BSS_STOP - overlayRange.end).toBeLessThan(4 * PAGE_SIZE);
    for (const { address, name } of overlay) {
      const align = variables.find((variable) => variable.name === name)?.align ?? 16;
      expect([name, Math.abs(address % align)]).toEqual([name, 0]);
    }
  });

  test('does not overlap variables that the image has at the end of its .bss', () => {
    const page = Math.floor(BSS_STOP / PAGE_SIZE) * PAGE_SIZE;
    const image = elf(WITHOUT, { idt_table: page - 2 * PAGE_SIZE });
    const made = program(image);
    expect(made.link('idt_table')).toBe(page - 2 * PAGE_SIZE);
    expect(made.overlayRange.end).toBeLessThanOrEqual(page - 2 * PAGE_SIZE);
    const places = [...made.modelled()].filter(([name]) => !isPart(name));
    for (const [name, { address, size }] of places) {
      const clash = places.find(
        ([other, at]) =>
          other !== name && at.address < address + size && at.address + at.size > address,
      );
      if (name.startsWith('idt') || address >= made.overlayRange.start) {
        expect([name, clash?.[0]]).toEqual([name, undefined]);
      }
    }
  });

  test('is refused with E_OVERLAY_FULL if .bss has no room for it', () => {
    const image = elf(WITHOUT, { __bss_start: BSS_STOP - PAGE_SIZE });
    expect(refusal(() => program(image)).code).toBe('E_OVERLAY_FULL');
  });
});

describe('clear_bss', () => {
  test.each(
    firstOf(1, [
      [17, KEY_PLAIN],
      [18, KEY_HOST],
    ]),
  )('at stage %i zeroes .bss except the overlay, and nothing after it', (stage, key) => {
    const subject = boot({ image: elf(WITHOUT), stage });
    subject.runTo('x86_64_start_kernel');
    const { overlayRange } = subject.kernel.program;
    const read = (from: number, to: number): Uint8Array => {
      const at = subject.loaded.kernelAt + (from - addressIn(base, '_text'));
      return subject.machine.dmaRead(pa(at), to - from, key);
    };
    expect(BSS_STOP - overlayRange.end).toBeGreaterThan(0);
    expect(read(BSS_START, overlayRange.start).every((byte) => byte === 0)).toBe(true);
    expect(read(overlayRange.end, BSS_STOP).every((byte) => byte === 0)).toBe(true);
    expect(read(overlayRange.start, overlayRange.end).some((byte) => byte !== 0)).toBe(true);
    expect(read(BSS_STOP, BSS_STOP + 64).every((byte) => byte === 0)).toBe(false);
  });

  exhaustiveTest('lets the boot reach /init with names in the overlay', () => {
    const trace = boot({ image: elf(WITHOUT) }).run();
    expect(trace.header.overlay).toEqual(expect.arrayContaining(WITHOUT.slice(0, 2)));
    expect(trace.outcome.kind).toBe('booted');
  });
});

function isPart(name: string): boolean {
  return BASE_VARIABLES.some(({ parts }) => Object.keys(parts ?? {}).includes(name));
}
