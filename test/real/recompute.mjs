// Ciphertext from what `sme-boot inspect --engine --format json` says, with node:crypto alone:
//   node test/real/recompute.mjs ENGINE.json ADDRESS < plaintext > ciphertext
// XEX: C = AES(m ^ T(p)) ^ T(p); XE: C = AES(m ^ T(p)); T(p) is the XOR of the constants of p's set address bits.
import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Ciphertext of whole 16-byte blocks that start at a physical address. */
export function recompute(engine, address, plaintext) {
  const key = Buffer.from(engine.keys.find(({ id }) => id === 1).key, 'hex');
  const tweaks = engine.tweaks.map(({ bit, constant }) => [
    2n ** BigInt(bit),
    Buffer.from(constant, 'hex'),
  ]);
  const masks = new Uint8Array(plaintext.length);
  for (let at = 0; at < plaintext.length; at += 16) {
    const p = BigInt(address + at);
    for (const [bit, constant] of tweaks) {
      if ((p & bit) !== 0n) for (let i = 0; i < 16; i++) masks[at + i] ^= constant[i];
    }
  }
  const mixed = plaintext.map((byte, i) => byte ^ masks[i]);
  const aes = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const out = new Uint8Array(Buffer.concat([aes.update(mixed), aes.final()]));
  return engine.mode === 'XEX' ? out.map((byte, i) => byte ^ masks[i]) : out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , engine, address] = process.argv;
  const description = JSON.parse(readFileSync(engine, 'utf8'));
  process.stdout.write(
    recompute(description.engine ?? description, Number(address), new Uint8Array(readFileSync(0))),
  );
}
