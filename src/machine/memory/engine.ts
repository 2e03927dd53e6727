/**
 * The memory engine: AES-128 with an address tweak in front of DRAM.
 *
 * Blocks of 16 bytes, each encrypted separately (Wilke et al., SEVurity, §III; Du et al., arXiv 1712.05090):
 *   T(p) = XOR of t_i over the set bits i ≥ 4 of the physical address p,
 *   XE:  C = AES(m ⊕ T(p)),   XEX: C = AES(m ⊕ T(p)) ⊕ T(p).
 * T is linear in the address bits: one table for the offsets in a page, one constant per page.
 */
import { hexBytes } from '../../base/bytes.js';
import { InputError } from '../../base/errors.js';
import { BLOCK_SIZE, hex, PAGE_SIZE, type KeyId, type Pa } from '../address.js';
import { FIRST_TWEAK_BIT, LAST_TWEAK_BIT, SecureProcessor } from '../devices/secure-processor.js';
import type { BlockCipher, BlockCipherFactory } from '../types.js';

export type EngineMode = 'XEX' | 'XE';

export interface EngineOptions {
  readonly cipher: BlockCipherFactory;
  readonly mode: EngineMode;
  readonly seed: string;
}

/** The parameters needed to recompute any ciphertext with another AES tool. */
export interface EngineDescription {
  readonly mode: EngineMode;
  /** By id, in hexadecimal. */
  readonly keys: readonly { readonly id: number; readonly key: string }[];
  /** t_i by address bit, in hexadecimal. */
  readonly tweaks: readonly { readonly bit: number; readonly constant: string }[];
}

/** The largest number of bytes passed to the cipher in one call. */
const BATCH = 65_536;
const WORDS_PER_BLOCK = BLOCK_SIZE / 4;
const PAGE_BITS = 12;

export class MemoryEngine {
  readonly mode: EngineMode;
  private readonly processor: SecureProcessor;
  private readonly ciphers = new Map<KeyId, BlockCipher>();
  /** t_i as words, indexed by address bit. */
  private readonly tweaks: readonly Uint32Array[];
  /** T of each offset in a page, without the constant of the page's address bits. */
  private readonly pageTable = new Uint32Array(PAGE_SIZE / 4);
  private readonly pageTweak = new Uint32Array(WORDS_PER_BLOCK);
  private readonly batch = new Uint8Array(BATCH);
  private readonly batchWords = new Uint32Array(this.batch.buffer);

  constructor(private readonly options: EngineOptions) {
    requireLittleEndian();
    this.mode = options.mode;
    this.processor = new SecureProcessor(options.seed);
    this.tweaks = Array.from({ length: LAST_TWEAK_BIT + 1 }, (_, bit) =>
      bit < FIRST_TWEAK_BIT
        ? new Uint32Array(WORDS_PER_BLOCK)
        : new Uint32Array(this.processor.tweak(bit).slice().buffer),
    );
    for (let offset = 0; offset < PAGE_SIZE; offset += BLOCK_SIZE) {
      for (let bit = FIRST_TWEAK_BIT; bit < PAGE_BITS; bit++) {
        if ((offset & (1 << bit)) !== 0) xorInto(this.pageTable, offset / 4, this.tweakOf(bit));
      }
    }
  }

  /**
   * Encrypts in place. Throws E_ENGINE_BLOCK, before any change, if `address` or `length` is not a multiple of 16. Key
   * 0 leaves the bytes unchanged.
   */
  encrypt(key: KeyId, address: Pa, bytes: Uint8Array, offset: number, length: number): void {
    this.crypt(key, address, bytes, offset, length, true);
  }

  /** Decrypts in place; parameters and errors as for `encrypt`. */
  decrypt(key: KeyId, address: Pa, bytes: Uint8Array, offset: number, length: number): void {
    this.crypt(key, address, bytes, offset, length, false);
  }

  /** Mode, keys and tweak constants. @param inUse ids of keys to describe besides those that a block was passed under. */
  describe(inUse: Iterable<KeyId> = []): EngineDescription {
    const ids = [...new Set([...this.ciphers.keys(), ...inUse])].sort((a, b) => a - b);
    return {
      mode: this.mode,
      keys: ids.map((id) => ({ id, key: hexBytes(this.processor.key(id)) })),
      tweaks: Array.from({ length: LAST_TWEAK_BIT - FIRST_TWEAK_BIT + 1 }, (_, i) => ({
        bit: i + FIRST_TWEAK_BIT,
        constant: hexBytes(this.processor.tweak(i + FIRST_TWEAK_BIT)),
      })),
    };
  }

  private crypt(
    key: KeyId,
    address: Pa,
    bytes: Uint8Array,
    offset: number,
    length: number,
    encrypt: boolean,
  ): void {
    if (address % BLOCK_SIZE !== 0 || length % BLOCK_SIZE !== 0) {
      throw new InputError({
        code: 'E_ENGINE_BLOCK',
        expected: `whole blocks of ${String(BLOCK_SIZE)} bytes`,
        found: `${hex(length)} bytes at ${hex(address)}`,
      });
    }
    if (key === 0) return;
    const cipher = this.cipherOf(key);
    for (let done = 0; done < length;) {
      const run = Math.min(BATCH, length - done);
      const blocks = run === BATCH ? this.batch : this.batch.subarray(0, run);
      blocks.set(bytes.subarray(offset + done, offset + done + run));
      // XE: C = AES(m ⊕ T), so decryption applies the tweak after the cipher only.
      if (this.mode === 'XEX' || encrypt) this.applyTweaks(address + done, run);
      if (encrypt) cipher.encrypt(blocks);
      else cipher.decrypt(blocks);
      if (this.mode === 'XEX' || !encrypt) this.applyTweaks(address + done, run);
      bytes.set(blocks, offset + done);
      done += run;
    }
  }

  /** XORs T(p) into the batch for the addresses from `address` on. */
  private applyTweaks(address: number, length: number): void {
    const words = this.batchWords;
    const table = this.pageTable;
    let word = 0;
    let at = address;
    let remaining = length;
    while (remaining > 0) {
      const inPage = at % PAGE_SIZE;
      const run = Math.min(remaining, PAGE_SIZE - inPage);
      this.loadPageTweak(at - inPage);
      const t0 = this.pageTweak[0] ?? 0;
      const t1 = this.pageTweak[1] ?? 0;
      const t2 = this.pageTweak[2] ?? 0;
      const t3 = this.pageTweak[3] ?? 0;
      const last = word + run / 4;
      for (let t = inPage / 4; word < last; word += 4, t += 4) {
        words[word] = (words[word] ?? 0) ^ (table[t] ?? 0) ^ t0;
        words[word + 1] = (words[word + 1] ?? 0) ^ (table[t + 1] ?? 0) ^ t1;
        words[word + 2] = (words[word + 2] ?? 0) ^ (table[t + 2] ?? 0) ^ t2;
        words[word + 3] = (words[word + 3] ?? 0) ^ (table[t + 3] ?? 0) ^ t3;
      }
      at += run;
      remaining -= run;
    }
  }

  private loadPageTweak(page: number): void {
    this.pageTweak.fill(0);
    let bits = page / PAGE_SIZE;
    for (let bit = PAGE_BITS; bits > 0; bit++, bits = Math.floor(bits / 2)) {
      if (bits % 2 === 1) xorInto(this.pageTweak, 0, this.tweakOf(bit));
    }
  }

  private tweakOf(bit: number): Uint32Array {
    const constant = this.tweaks[bit];
    if (constant === undefined) throw new RangeError(`no tweak for address bit ${String(bit)}`);
    return constant;
  }

  private cipherOf(key: KeyId): BlockCipher {
    let cipher = this.ciphers.get(key);
    if (cipher === undefined) {
      cipher = this.options.cipher(this.processor.key(key));
      this.ciphers.set(key, cipher);
    }
    return cipher;
  }
}

/** Throws E_BYTE_ORDER on a big-endian host: noise and ciphers work on words in memory, as x86 orders their bytes. */
export function requireLittleEndian(bytesOfOne = new Uint8Array(Uint32Array.of(1).buffer)): void {
  if (bytesOfOne[0] === 1) return;
  throw new InputError({
    code: 'E_BYTE_ORDER',
    reason: 'the simulator needs a little-endian host',
  });
}

function xorInto(words: Uint32Array, at: number, constant: Uint32Array): void {
  for (let i = 0; i < WORDS_PER_BLOCK; i++) {
    words[at + i] = (words[at + i] ?? 0) ^ (constant[i] ?? 0);
  }
}
