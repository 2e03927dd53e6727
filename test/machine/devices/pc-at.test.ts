import { describe, expect, test } from '@jest/globals';
import { PcAt } from '../../../src/machine/devices/pc-at.js';
import type { Machine } from '../../../src/machine/machine.js';
import { machine } from '../../x86/program.js';

class Board {
  time = 0;
  readonly machine: Machine = machine();
  readonly devices = new PcAt(this.machine);

  constructor() {
    this.devices.clock.read = () => this.time;
    for (const [port, byte] of [
      [0x20, 0x11],
      [0x21, 0x30],
      [0x21, 4],
      [0x21, 1],
    ] as const) {
      this.out(port, byte);
    }
  }
  out(port: number, byte: number): void {
    this.machine.bus.portOut(port, byte, 1);
  }
  /** Counter 0 in mode 2. */
  periodic(count: number): void {
    this.out(0x43, 0x34);
    this.out(0x40, count & 0xff);
    this.out(0x40, count >> 8);
  }
}

describe('the devices of a PC/AT', () => {
  test('have the timer at input 0: its edge is an event, and then a request', () => {
    const board = new Board();
    board.periodic(1193);
    const { devices } = board;
    // Pulse 1194, 10 ns a unit.
    expect(devices.nextEvent()).toBe(Math.ceil((1194 * 1e8) / 1_193_182));
    board.time = devices.nextEvent() - 1;
    devices.advance();
    expect(devices.requested(0)).toBe(false);
    board.time++;
    devices.advance();
    expect(devices.requested(0)).toBe(true);
    expect(devices.nextEvent()).toBe(Infinity);
    expect(devices.acknowledge(0)).toBe(0x30);
    expect(devices.nextEvent()).toBe(Math.ceil((2387 * 1e8) / 1_193_182));
  });

  test('have no event while a masked request of the timer waits', () => {
    const board = new Board();
    board.out(0x21, 0xff);
    board.periodic(1193);
    board.time = board.devices.nextEvent();
    board.devices.advance();
    expect([board.devices.requested(0), board.devices.nextEvent()]).toEqual([false, Infinity]);
  });

  test('have the UART at input 4', () => {
    const board = new Board();
    board.out(0x3fc, 0x08);
    board.out(0x3f9, 0x02);
    expect(board.devices.acknowledge(0)).toBe(0x34);
    board.out(0x20, 0x20);
    expect(board.devices.requested(0)).toBe(false);
    expect(board.machine.bus.portIn(0x3fa, 1)).toBe(0x02);
    board.out(0x3f8, 0x41);
    expect(board.devices.acknowledge(0)).toBe(0x34);
  });

  test.each([
    [1, 0xff],
    [2, 0xffff],
    [4, 0xffff_ffff],
  ])('an absent port reads %i bytes of ones', (size, ones) => {
    expect(new Board().machine.bus.portIn(0xcf8, size)).toBe(ones);
  });

  test('are in snapshots of the machine', () => {
    const board = new Board();
    board.periodic(5000);
    const other = new Board();
    other.machine.restore(structuredClone(board.machine.snapshot()));
    expect(other.devices.nextEvent()).toBe(board.devices.nextEvent());
  });
});
