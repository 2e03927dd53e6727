/** Counts what passes the memory engine between the caches and DRAM, in blocks of 16 bytes. */
import { KEY_PLAIN, type KeyId } from '../machine/address.js';
import type { Probes } from '../machine/probes.js';

/** Bytes of a block of the engine (APM 7.10.2: AES-128). */
const BLOCK = 16;

/** Blocks that passed the engine. */
export interface Blocks {
  /** Read from DRAM and decrypted. */
  readonly decrypted: number;
  /** Decrypted as well, in lines that the CPU then overwrote whole without reading them. */
  readonly decryptedUnread: number;
  /** Encrypted and written to DRAM. */
  readonly encrypted: number;
  /** Read and written without a key. */
  readonly plainRead: number;
  readonly plainWritten: number;
}

/** To be attached before the boot. Accesses that bypass the caches and those of devices are not counted. */
export class EngineTraffic {
  private readonly counts = {
    decrypted: 0,
    decryptedUnread: 0,
    encrypted: 0,
    plainRead: 0,
    plainWritten: 0,
  };

  /** Counts from now on. */
  listen({ filled, writtenBack }: Probes): void {
    filled.listen((_pa, key, length, overwritten) => {
      this.fill(key, length, overwritten);
    });
    writtenBack.listen((_pa, key, length) => {
      this.writeBack(key, length);
    });
  }

  private fill(key: KeyId, length: number, overwritten: boolean): void {
    const blocks = length / BLOCK;
    if (key === KEY_PLAIN) this.counts.plainRead += blocks;
    else if (overwritten) this.counts.decryptedUnread += blocks;
    else this.counts.decrypted += blocks;
  }

  private writeBack(key: KeyId, length: number): void {
    const blocks = length / BLOCK;
    if (key === KEY_PLAIN) this.counts.plainWritten += blocks;
    else this.counts.encrypted += blocks;
  }

  /** The blocks so far. */
  get blocks(): Blocks {
    return { ...this.counts };
  }
}
