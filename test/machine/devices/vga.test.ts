import { describe, expect, test } from '@jest/globals';
import { pa, va } from '../../../src/machine/address.js';
import { deserialize, serialize } from '../../../src/machine/codec.js';
import { Bus } from '../../../src/machine/bus.js';
import { cp437 } from '../../../src/machine/devices/cp437.js';
import { ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import { isFault } from '../../../src/machine/cpu/cpu.js';
import { Machine, type MachineSnapshot } from '../../../src/machine/machine.js';
import { LEGACY_AREA } from '../../../src/machine/cpu/mtrr.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import {
  CRTC,
  VGA_PORTS,
  VGA_TEXT,
  VGA_WINDOW,
  VgaAdapter,
} from '../../../src/machine/devices/vga.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';

const bytes = (text: string, attribute = 7): Uint8Array =>
  Uint8Array.from([...text].flatMap((c) => [c.charCodeAt(0), attribute]));
const read = (vga: VgaAdapter, at: number): number => {
  const out = new Uint8Array(1);
  vga.mmioRead(pa(at), out, 0, 1);
  return out[0] ?? 0;
};
const write = (vga: VgaAdapter, at: number, value: number): void => {
  vga.mmioWrite(pa(at), Uint8Array.of(value), 0, 1);
};
function textMode(): VgaAdapter {
  const vga = new VgaAdapter();
  vga.setTextMode();
  return vga;
}

describe('a VGA in text mode 3', () => {
  test('shows a blank screen of 25 lines of 80 after setTextMode', () => {
    const { lines, attributes, cursor } = textMode().render();
    expect(lines).toEqual(new Array(25).fill(' '.repeat(80)));
    expect(attributes.every((row) => row.length === 80 && row.every((a) => a === 7))).toBe(true);
    expect(cursor).toEqual({ line: 0, column: 0 });
  });

  test('shows characters and attributes at the positions of their cells', () => {
    const vga = textMode();
    vga.mmioWrite(pa(VGA_TEXT.base + 160 * 2 + 4), bytes('hi', 0x1f), 0, 4);
    const { lines, attributes } = vga.render();
    expect(lines[2]?.slice(0, 6)).toBe('  hi  ');
    expect([...(attributes[2]?.subarray(1, 5) ?? [])]).toEqual([7, 0x1f, 0x1f, 7]);
  });

  test.each([
    ['below the text window', VGA_TEXT.base - 1, false],
    ['its first byte', VGA_TEXT.base, true],
    ['its last byte', VGA_TEXT.base + VGA_TEXT.size - 1, true],
    ['the start of the graphics window', VGA_WINDOW.base, false],
  ])('%s stores writes: %s', (_what, at, stored) => {
    const vga = textMode();
    write(vga, at, 0x5a);
    expect(read(vga, at)).toBe(stored ? 0x5a : 0xff);
  });

  test('a write over the start of the text window changes only the cells', () => {
    const vga = textMode();
    vga.mmioWrite(pa(VGA_TEXT.base - 2), Uint8Array.of(1, 2, 0x41, 4), 0, 4);
    expect(vga.render().lines[0]?.[0]).toBe('A');
    expect(vga.render().attributes[0]?.[0]).toBe(4);
  });

  test('starts the screen at the CRT controller’s start address and wraps at the end of the memory', () => {
    const vga = textMode();
    vga.mmioWrite(pa(VGA_TEXT.base + 160), bytes('second'), 0, 12);
    vga.mmioWrite(pa(VGA_TEXT.base), bytes('first'), 0, 10);
    const start = (value: number): void => {
      vga.portOut(VGA_PORTS.crtcIndex, CRTC.START_HI + (value & 0xff00), 2);
      vga.portOut(VGA_PORTS.crtcIndex, CRTC.START_LO + ((value & 0xff) << 8), 2);
    };
    start(80);
    expect(vga.render().lines[0]?.trimEnd()).toBe('second');
    start(VGA_TEXT.size / 2 - 80);
    expect(
      vga
        .render()
        .lines.slice(0, 3)
        .map((line) => line.trimEnd()),
    ).toEqual(['', 'first', 'second']);
  });

  test('has the cursor at the location in its two registers, relative to the start address', () => {
    const vga = textMode();
    vga.portOut(VGA_PORTS.crtcIndex, CRTC.CURSOR_LO, 1);
    vga.portOut(VGA_PORTS.crtcData, 83, 1);
    expect(vga.render().cursor).toEqual({ line: 1, column: 3 });
    expect(vga.portIn(VGA_PORTS.crtcData, 1)).toBe(83);
    vga.portOut(VGA_PORTS.crtcIndex, CRTC.CURSOR_HI + 0x7000, 2);
    expect(vga.render().cursor).toBeUndefined();
  });

  test.each([0x3c2, 0x3c4, 0x3ce])('port %i is refused by name', (port) => {
    expect(() => textMode().portIn(port, 1)).toThrow(/E_UNMODELLED.*port 0x3/);
  });

  test('has its whole state in a snapshot', () => {
    const vga = textMode();
    write(vga, VGA_TEXT.base, 0x41);
    vga.portOut(VGA_PORTS.crtcIndex, CRTC.START_LO + 0x5000, 2);
    const state = structuredClone(vga.snapshot());
    const other = new VgaAdapter();
    other.restore(state);
    expect(other.render()).toEqual(vga.render());
    write(vga, VGA_TEXT.base, 0x42);
    expect(read(other, VGA_TEXT.base)).toBe(0x41);
    expect(() => {
      other.restore({ memory: new Uint8Array(4) });
    }).toThrow(/E_SNAPSHOT/);
  });
});

// Offsets of code page 437 by hand, from the Unicode consortium's table.
test.each([
  [0x00, ' '],
  [0x01, '☺'],
  [0x1f, '▼'],
  [0x20, ' '],
  [0x7e, '~'],
  [0x7f, '⌂'],
  [0x80, 'Ç'],
  [0xc4, '─'],
  [0xe1, 'ß'],
  [0xfe, '■'],
  [0xff, ' '],
])('the adapter shows byte %i as %s', (byte, shown) => {
  expect(cp437(byte)).toBe(shown);
});

describe('I/O ports', () => {
  test('read as all ones if no device answers', () => {
    const bus = new Bus(machine().dram);
    expect([bus.portIn(0x80, 1), bus.portIn(0x80, 2)]).toEqual([0xff, 0xffff]);
    bus.portOut(0x80, 1, 1);
  });

  test('of a device end at its last one', () => {
    const m = machine();
    m.attach(textMode());
    m.bus.portOut(VGA_PORTS.crtcIndex, CRTC.CURSOR_HI, 1);
    expect([0x3d3, 0x3d4, 0x3d5, 0x3d6].map((port) => m.bus.portIn(port, 1))).toEqual([
      0xff,
      CRTC.CURSOR_HI,
      0,
      0xff,
    ]);
  });
});

function machine(): Machine {
  return new Machine({
    model: ZEN1,
    cpus: 1,
    ram: [
      { base: 0, size: VGA_WINDOW.base },
      { base: 0xc_0000, size: 0x400_0000 - 0xc_0000 },
    ],
    mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
    cache: { size: 32 * 1024, ways: 8 },
    engine: { mode: 'XEX', seed: 'vga', cipher: nodeCipher, lazy: true },
    syscfgMemEncrypt: true,
  });
}

const PGD = 0x1_0000;
const FLAGS = 0xe3n; // P, RW, A, D, PS
const C47 = 1n << 47n;
/** Where the second mapping of the first 2 MiB is, with the C-bit. */
const WITH_C = 0x20_0000;

/** The first 2 MiB by one page of 2 MiB, and again with the C-bit. */
function mapped(): { m: Machine; vga: VgaAdapter } {
  const m = machine();
  const vga = m.attach(textMode());
  const words = new BigUint64Array(3 * 512);
  words[0] = BigInt(PGD + 0x1000) | 0x63n;
  words[512] = BigInt(PGD + 0x2000) | 0x63n;
  words[1024] = FLAGS;
  words[1025] = FLAGS | C47;
  m.dmaWrite(pa(PGD), new Uint8Array(words.buffer));
  m.cpus[0].enterLongMode(BigInt(PGD));
  return { m, vga };
}

const number = (value: unknown): number => {
  if (typeof value !== 'number') throw new Error('a fault');
  return value;
};

describe('the CPU’s accesses to the adapter', () => {
  test.each([
    [LEGACY_AREA.base - 1, MEMTYPE.WB],
    [LEGACY_AREA.base, MEMTYPE.UC],
    [VGA_TEXT.base, MEMTYPE.UC],
    [LEGACY_AREA.base + LEGACY_AREA.size - 1, MEMTYPE.UC],
    [LEGACY_AREA.base + LEGACY_AREA.size, MEMTYPE.WB],
  ])('at %i through a WB page of 2 MiB have type %i by the fixed MTRRs', (at, type) => {
    const probed = mapped().m.cpus[0].translate(va(at));
    if (isFault(probed)) throw new Error(probed.why);
    expect(probed.type).toBe(type);
  });

  test('are not cached', () => {
    const { m, vga } = mapped();
    const before = m.cache.lines.valid;
    expect(m.cpus[0].storeU16(va(VGA_TEXT.base), 0x0741)).toBeNull();
    expect(vga.render().lines[0]?.[0]).toBe('A');
    write(vga, VGA_TEXT.base, 0x42);
    expect(number(m.cpus[0].loadU8(va(VGA_TEXT.base)))).toBe(0x42);
    expect(m.cache.lines.valid).toBe(before);
  });

  test('with the C-bit do not reach it: writes are dropped, reads are all ones', () => {
    const { m, vga } = mapped();
    expect(m.cpus[0].storeU16(va(WITH_C + VGA_TEXT.base), 0x0741)).toBeNull();
    expect(vga.render().lines[0]?.[0]).toBe(' ');
    expect(number(m.cpus[0].loadU16(va(WITH_C + VGA_TEXT.base)))).toBe(0xffff);
  });

  test('to ROM in the legacy area reach DRAM under the key that the C-bit selects', () => {
    const { m } = mapped();
    m.dmaWrite(pa(0xc_0000), Uint8Array.of(0x55, 0xaa));
    expect(number(m.cpus[0].loadU16(va(0xc_0000)))).toBe(0xaa55);
    expect(number(m.cpus[0].loadU16(va(WITH_C + 0xc_0000)))).not.toBe(0xaa55);
  });

  test('on the screen are restored from a snapshot of the machine', () => {
    const { m, vga } = mapped();
    write(vga, VGA_TEXT.base, 0x41);
    const snapshot = deserialize(serialize(m.snapshot())) as MachineSnapshot;
    write(vga, VGA_TEXT.base, 0x42);
    m.restore(snapshot);
    expect(vga.render().lines[0]?.[0]).toBe('A');
  });
});
