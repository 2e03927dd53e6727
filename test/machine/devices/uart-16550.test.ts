import { describe, expect, test } from '@jest/globals';
import { COM1, Uart16550 } from '../../../src/machine/devices/uart-16550.js';

const PORT = COM1.base;
const DLAB = 0x83;

describe('a UART', () => {
  test('collects what is written to the data register', () => {
    const uart = new Uart16550();
    for (const each of 'ok\r\n') uart.portOut(PORT, each.charCodeAt(0), 1);
    expect(uart.text).toBe('ok\r\n');
  });

  test('is always ready to transmit', () => {
    expect(new Uart16550().portIn(PORT + 5, 1)).toBe(0x60);
  });

  test('has the divisor in the first two registers with DLAB, and transmits nothing then', () => {
    const uart = new Uart16550();
    uart.portOut(PORT + 3, DLAB, 1);
    uart.portOut(PORT, 1, 1);
    uart.portOut(PORT + 1, 2, 1);
    expect([uart.portIn(PORT, 1), uart.portIn(PORT + 1, 1), uart.text]).toEqual([1, 2, '']);
    uart.portOut(PORT + 3, 3, 1);
    expect([uart.portIn(PORT, 1), uart.portIn(PORT + 1, 1)]).toEqual([0, 0]);
  });

  test('has a scratch register', () => {
    const uart = new Uart16550();
    uart.portOut(PORT + 7, 0xa5, 1);
    expect(uart.portIn(PORT + 7, 1)).toBe(0xa5);
  });

  test('has the bits of IER and MCR that exist', () => {
    const uart = new Uart16550();
    uart.portOut(PORT + 1, 0xff, 1);
    uart.portOut(PORT + 4, 0xff, 1);
    expect([uart.portIn(PORT + 1, 1), uart.portIn(PORT + 4, 1)]).toEqual([0x0f, 0x1f]);
  });

  test('identifies as a 16550A once its FIFOs are enabled', () => {
    const uart = new Uart16550();
    expect(uart.portIn(PORT + 2, 1)).toBe(0x01);
    uart.portOut(PORT + 2, 0x01, 1);
    expect(uart.portIn(PORT + 2, 1)).toBe(0xc1);
  });

  test('signals the empty holding register once, until the next byte', () => {
    const uart = new Uart16550();
    uart.portOut(PORT + 1, 0x02, 1);
    expect(uart.interrupt).toBe(false);
    uart.portOut(PORT + 4, 0x08, 1);
    expect(uart.interrupt).toBe(true);
    expect(uart.portIn(PORT + 2, 1)).toBe(0x02);
    expect([uart.interrupt, uart.portIn(PORT + 2, 1)]).toEqual([false, 0x01]);
    uart.portOut(PORT, 0x41, 1);
    expect(uart.interrupt).toBe(true);
  });

  test('in loopback receives what it transmits, and its modem inputs are its outputs', () => {
    const uart = new Uart16550();
    uart.portOut(PORT + 4, 0x1a, 1);
    expect(uart.portIn(PORT + 6, 1)).toBe(0x90);
    uart.portOut(PORT, 0x55, 1);
    expect([uart.text, uart.portIn(PORT + 5, 1) & 1, uart.portIn(PORT, 1)]).toEqual(['', 1, 0x55]);
    expect(uart.portIn(PORT + 5, 1) & 1).toBe(0);
  });

  test('has the same state after a snapshot is restored', () => {
    const uart = new Uart16550();
    uart.portOut(PORT, 0x41, 1);
    uart.portOut(PORT + 3, DLAB, 1);
    uart.portOut(PORT, 12, 1);
    const other = new Uart16550();
    other.restore(structuredClone(uart.snapshot()));
    expect(other.snapshot()).toEqual(uart.snapshot());
    expect(() => other.restore({})).toThrow('E_SNAPSHOT');
  });
});
