import { describe, expect, test } from '@jest/globals';
import { IO_APIC_ADDRESS, IO_APIC_ID } from '../../../src/firmware/acpi/madt.js';
import { pa } from '../../../src/machine/address.js';
import { IoApic } from '../../../src/machine/devices/io-apic.js';

const SELECT = 0;
const WINDOW = 0x10;

/** An I/O APIC, its messages, and whether they are accepted. */
class Board {
  readonly sent: string[] = [];
  accepts = true;
  readonly apic = new IoApic({ base: IO_APIC_ADDRESS, id: IO_APIC_ID }, (message, to) => {
    const { type, vector, level } = message;
    this.sent.push([type, vector.toString(16), level, to.to, to.logical].join(' '));
    return this.accepts;
  });
  private access(at: number, value?: number, length = 4): number {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    const address = pa(IO_APIC_ADDRESS + at);
    if (value === undefined) this.apic.mmioRead(address, bytes, 0, length);
    else {
      view.setUint32(0, value, true);
      this.apic.mmioWrite(address, bytes, 0, length);
    }
    return view.getUint32(0, true);
  }
  read(index: number): number {
    this.access(SELECT, index);
    return this.access(WINDOW);
  }
  write(index: number, value: number): void {
    this.access(SELECT, index);
    this.access(WINDOW, value);
  }
  entry(input: number, low: number, high = 0): void {
    this.write(0x11 + 2 * input, high);
    this.write(0x10 + 2 * input, low);
  }
  raw = (at: number, length: number): number => this.access(at, undefined, length);
}

describe('an I/O APIC (82093AA data sheet, 3)', () => {
  test('has its number, version 11h and 24 inputs, all masked', () => {
    const board = new Board();
    expect(board.read(0)).toBe((IO_APIC_ID << 24) >>> 0);
    expect(board.read(1)).toBe(0x17_0011);
    for (let input = 0; input < 24; input++) {
      expect([board.read(0x10 + 2 * input), board.read(0x11 + 2 * input)]).toEqual([0x1_0000, 0]);
    }
    expect(board.read(0x40)).toBe(0xffff_ffff);
  });

  test('is accessed in 32 bits at two registers; anything else reads ones', () => {
    const board = new Board();
    expect([board.raw(SELECT, 1) & 0xff, board.raw(0x20, 4)]).toEqual([0xff, 0xffff_ffff]);
  });

  test('read-only bits of an entry are not written', () => {
    const board = new Board();
    board.entry(3, 0xffff_ffff, 0xffff_ffff);
    expect([board.read(0x16), board.read(0x17)]).toEqual([0x1_afff, 0xff00_0000]);
  });

  test('an edge sends a message once, at the rise', () => {
    const board = new Board();
    board.entry(2, 0x0931, 0x0300_0000);
    board.apic.setLine(2, true);
    board.apic.setLine(2, true);
    board.apic.setLine(2, false);
    expect(board.sent).toEqual(['1 31 false 3 true']);
    board.apic.pulse(2);
    expect(board.sent).toHaveLength(2);
  });

  test('an edge at a masked input is lost', () => {
    const board = new Board();
    board.apic.pulse(2);
    board.entry(2, 0x31);
    expect(board.sent).toEqual([]);
    expect([board.apic.passes(2), board.apic.passes(3)]).toEqual([true, false]);
  });

  test('a level is sent until it is accepted, and again after its end while it stays', () => {
    const board = new Board();
    board.entry(4, 0x8034);
    board.accepts = false;
    board.apic.setLine(4, true);
    expect(board.read(0x18)).toBe(0x8034);
    board.accepts = true;
    board.entry(4, 0x8034);
    expect([board.sent.length, board.read(0x18)]).toEqual([2, 0xc034]);
    board.entry(4, 0x8034);
    expect([board.sent.length, board.read(0x18)]).toEqual([2, 0xc034]);
    board.apic.ended(0x35);
    expect(board.sent).toHaveLength(2);
    board.apic.ended(0x34);
    expect([board.sent.length, board.read(0x18)]).toEqual([3, 0xc034]);
    board.apic.setLine(4, false);
    board.apic.ended(0x34);
    expect([board.sent.length, board.read(0x18)]).toEqual([3, 0x8034]);
  });

  test('a level that was masked is sent when the mask goes', () => {
    const board = new Board();
    board.entry(4, 0x1_8034);
    board.apic.setLine(4, true);
    expect(board.sent).toEqual([]);
    board.entry(4, 0x8034);
    expect(board.sent).toEqual(['0 34 true 0 false']);
  });

  test('becomes edge-triggered: remote IRR goes', () => {
    const board = new Board();
    board.entry(4, 0x8034);
    board.apic.setLine(4, true);
    board.entry(4, 0x1_0034);
    expect(board.read(0x18)).toBe(0x1_0034);
  });

  test.each([2, 5, 7])('type %p throws E_UNMODELLED', (type) => {
    const board = new Board();
    board.entry(4, (type << 8) | 0x34);
    expect(() => board.apic.pulse(4)).toThrow(/type/);
  });

  test('is in snapshots', () => {
    const board = new Board();
    board.entry(4, 0x8034);
    board.apic.setLine(4, true);
    const other = new Board();
    other.apic.restore(structuredClone(board.apic.snapshot()));
    expect(other.apic.snapshot()).toEqual(board.apic.snapshot());
    other.apic.ended(0x34);
    expect(other.sent).toHaveLength(1);
  });
});
