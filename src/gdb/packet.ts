/**
 * Packets of gdb's remote serial protocol (Debugging with GDB, E.1): `$`, data, `#`, two digits of checksum; `+` and `-`
 * acknowledge. A text here has one character a byte.
 */
import { ascii, hexBytes } from '../base/bytes.js';

const START = 0x24;
const END = 0x23;
const ESCAPE = 0x7d;
const ACK = 0x2b;
const NAK = 0x2d;
const INTERRUPT = 0x03;
/** An escaped byte is the byte XOR this (E.1). */
const ESCAPE_XOR = 0x20;
const HEX_RADIX = 16;

/** The most bytes of data of a packet, as qSupported tells gdb (our choice). */
export const PACKET_SIZE = 0x4000;

/** What gdb has sent. */
export type Received =
  | { readonly kind: 'packet'; readonly data: string }
  /** A packet with another checksum than its own, or without one. */
  | { readonly kind: 'broken' }
  /** A packet of more than PACKET_SIZE bytes whose checksum is right. */
  | { readonly kind: 'too-long' }
  /** `-`: the last packet is to be sent again. */
  | { readonly kind: 'resend' }
  /** The byte 0x03 outside a packet: stop the program. */
  | { readonly kind: 'interrupt' };

/** A packet's bytes. @param data one character a byte. */
export function packet(data: string): Uint8Array {
  // E.1: '#', '$', '}' and, in replies, '*' are escaped.
  const escaped = data.replace(
    /[#$}*]/g,
    (character) => `}${String.fromCharCode(character.charCodeAt(0) ^ ESCAPE_XOR)}`,
  );
  const bytes = ascii(escaped);
  const sum = bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
  return ascii(`$${escaped}#${hexByte(sum)}`);
}

/** A byte as two digits. */
export const hexByte = (byte: number): string => hexBytes([byte]);

/** The bytes of pairs of digits; undefined if the text is not such. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), HEX_RADIX),
  );
}

/** Takes packets from a stream of bytes, in whatever pieces they come. */
export class PacketReader {
  private data: number[] | null = null;
  /** Bytes of data so far, those that are not kept among them. */
  private length = 0;
  private sum = 0;
  private escaped = false;
  /** The digits of the checksum so far; null before the `#`. */
  private digits: string | null = null;

  /** What some bytes complete, in order. */
  push(bytes: Uint8Array): Received[] {
    const received: Received[] = [];
    for (const byte of bytes) {
      const one = this.next(byte);
      if (one !== undefined) received.push(one);
    }
    return received;
  }

  private next(byte: number): Received | undefined {
    if (this.data === null) return this.outside(byte);
    if (this.digits !== null) return this.checksum(this.data, byte);
    if (byte === END) {
      this.digits = '';
      return undefined;
    }
    // A `$` is never part of the data: the packet before it was cut off.
    if (byte === START) {
      this.begin();
      return { kind: 'broken' };
    }
    this.sum = (this.sum + byte) & 0xff;
    if (!this.escaped && byte === ESCAPE) {
      this.escaped = true;
      return undefined;
    }
    this.length++;
    if (this.length <= PACKET_SIZE) this.data.push(this.escaped ? byte ^ ESCAPE_XOR : byte);
    this.escaped = false;
    return undefined;
  }

  /** Outside packets: `+` needs no answer, and other bytes are noise (E.1). */
  private outside(byte: number): Received | undefined {
    if (byte === START) this.begin();
    else if (byte === NAK) return { kind: 'resend' };
    else if (byte === INTERRUPT) return { kind: 'interrupt' };
    else if (byte === ACK) return undefined;
    return undefined;
  }

  private begin(): void {
    this.data = [];
    this.length = 0;
    this.sum = 0;
    this.escaped = false;
    this.digits = null;
  }

  private checksum(data: readonly number[], byte: number): Received | undefined {
    const digits = (this.digits ?? '') + String.fromCharCode(byte);
    this.digits = digits;
    if (digits.length < 2) return undefined;
    this.data = null;
    if (bytesOfHex(digits)?.[0] !== this.sum) return { kind: 'broken' };
    if (this.length > PACKET_SIZE) return { kind: 'too-long' };
    return { kind: 'packet', data: data.map((each) => String.fromCharCode(each)).join('') };
  }
}
