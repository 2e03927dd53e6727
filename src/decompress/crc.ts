/**
 * The CRCs of compressed formats: CRC32 of ISO 3309 (RFC 1952, 8), CRC64 of ECMA-182 (.xz format 1.0.4, 6), and bzip2's
 * CRC32, which processes the highest bit first; and Adler-32 (RFC 1950, 9).
 */

const TABLES = 8;
const ENTRIES = 256;
/** x^32 + x^26 + … + 1, bits reversed (RFC 1952, 8). */
const CRC32_REVERSED = 0xedb8_8320;
/** The same polynomial, bits not reversed (bzip2 shifts to the left). */
const CRC32_NORMAL = 0x04c1_1db7;
/** The polynomial of ECMA-182, its bits reversed, in halves. */
const CRC64_HIGH = 0xc96c_5795;
const CRC64_LOW = 0xd787_0f42;

/** Eight tables: entry [k][b] is the effect of byte b followed by k bytes, to process eight bytes at once. */
const SLICES = makeSlices();

function makeSlices(): Int32Array {
  const tables = new Int32Array(TABLES * ENTRIES);
  for (let byte = 0; byte < ENTRIES; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CRC32_REVERSED : 0);
    tables[byte] = crc;
  }
  for (let at = ENTRIES; at < tables.length; at++) {
    const before = tables[at - ENTRIES] ?? 0;
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}

/** CRC32 of bytes, unsigned. */
export function crc32(bytes: Uint8Array): number {
  const slice = (table: number, byte: number): number => SLICES[table * ENTRIES + byte] as number;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = ~0;
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    const low = view.getInt32(at, true) ^ crc;
    const high = view.getInt32(at + 4, true);
    crc =
      slice(7, low & 0xff) ^
      slice(6, (low >>> 8) & 0xff) ^
      slice(5, (low >>> 16) & 0xff) ^
      slice(4, low >>> 24) ^
      slice(3, high & 0xff) ^
      slice(2, (high >>> 8) & 0xff) ^
      slice(1, (high >>> 16) & 0xff) ^
      slice(0, high >>> 24);
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ slice(0, (crc ^ (bytes[at] ?? 0)) & 0xff);
  return ~crc >>> 0;
}

const CRC64 = makeCrc64();

/** The table of CRC64: low and high halves alternate. */
function makeCrc64(): Int32Array {
  const table = new Int32Array(2 * ENTRIES);
  for (let byte = 0; byte < ENTRIES; byte++) {
    let low = byte;
    let high = 0;
    for (let bit = 0; bit < 8; bit++) {
      const out = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (out) {
        low ^= CRC64_LOW;
        high ^= CRC64_HIGH;
      }
    }
    table[2 * byte] = low;
    table[2 * byte + 1] = high;
  }
  return table;
}

/** CRC64 of bytes, as 16 hexadecimal digits. */
export function crc64(bytes: Uint8Array): string {
  let low = ~0;
  let high = ~0;
  for (const byte of bytes) {
    const entry = ((low ^ byte) & 0xff) << 1;
    low = ((low >>> 8) | (high << 24)) ^ (CRC64[entry] as number);
    high = (high >>> 8) ^ (CRC64[entry + 1] as number);
  }
  const half = (value: number): string => (~value >>> 0).toString(16).padStart(8, '0');
  return half(high) + half(low);
}

const CRC32_LEFT = Int32Array.from({ length: ENTRIES }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? CRC32_NORMAL : 0);
  return crc;
});

/** bzip2's CRC32 of bytes, unsigned. */
export function crc32Bzip2(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) crc = (crc << 8) ^ (CRC32_LEFT[(crc >>> 24) ^ byte] as number);
  return ~crc >>> 0;
}

/** The modulus of Adler-32, and the most bytes whose sums fit into 32 bits (RFC 1950, 8.2 and 9). */
const ADLER = { base: 65_521, most: 5552 } as const;

/** Adler-32 of bytes, unsigned. */
export function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let at = 0; at < bytes.length; at += ADLER.most) {
    const end = Math.min(bytes.length, at + ADLER.most);
    for (let i = at; i < end; i++) {
      low += bytes[i] ?? 0;
      high += low;
    }
    low %= ADLER.base;
    high %= ADLER.base;
  }
  return ((high << 16) | low) >>> 0;
}
