/** Throughput of the memory engine with both ciphers, next to node:crypto alone, in one run. */
import { createCipheriv } from 'node:crypto';
import { KEY_HOST, pa } from '../src/machine/address.js';
import { MemoryEngine } from '../src/machine/memory/engine.js';
import { nobleCipher } from '../src/machine/memory/noble-cipher.js';
import type { BlockCipherFactory } from '../src/machine/types.js';
import { nodeCipher } from '../src/node/node-cipher.js';

const BATCH = 64 * 1024;
const MB = 1e6;

/** Throughput of `work` on batches in MB/s, the best of several rounds. */
function rate(total: number, work: (batch: Uint8Array) => void): number {
  const batch = new Uint8Array(BATCH);
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    for (let done = 0; done < total; done += BATCH) work(batch);
    best = Math.max(best, total / MB / ((performance.now() - start) / 1000));
  }
  return best;
}

const engine = (cipher: BlockCipherFactory): ((batch: Uint8Array) => void) => {
  const made = new MemoryEngine({ cipher, mode: 'XEX', seed: 'bench' });
  return (batch) => {
    made.encrypt(KEY_HOST, pa(0x100_0000), batch, 0, batch.length);
  };
};

const bare = createCipheriv('aes-128-ecb', new Uint8Array(16), null).setAutoPadding(false);
const alone = rate(64 * MB, (batch) => bare.update(batch));
const rows: [name: string, value: number][] = [
  ['node:crypto AES-128-ECB alone', alone],
  ['engine over node:crypto', rate(64 * MB, engine(nodeCipher))],
  ['engine over @noble/ciphers', rate(4 * MB, engine(nobleCipher))],
];
for (const [name, value] of rows) {
  const ratio = (value / alone).toFixed(3);
  console.log(`${name.padEnd(34)} ${value.toFixed(0).padStart(6)} MB/s   ${ratio} of alone`);
}
