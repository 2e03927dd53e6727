// Ciphertext from what `sme-boot inspect --engine --format json` says, with node:crypto alone:
//   node test/real/recompute.mjs ENGINE.json ADDRESS PLAINTEXT > CIPHERTEXT
// XEX: C = AES(m ^ T(p)) ^ T(p); XE: C = AES(m ^ T(p)); T(p) is the XOR of the constants of p's set address bits.
import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const [, , description, address, file] = process.argv;
const said = JSON.parse(readFileSync(description, 'utf8'));
const engine = said.engine ?? said;
const plaintext = new Uint8Array(readFileSync(file));

const key = Buffer.from(engine.keys.find(({ id }) => id === 1).key, 'hex');
const tweaks = engine.tweaks.map(({ bit, constant }) => [2 ** bit, Buffer.from(constant, 'hex')]);

const masks = new Uint8Array(plaintext.length);
for (let at = 0; at < plaintext.length; at += 16) {
  const p = Number(address) + at;
  for (const [bit, constant] of tweaks) {
    if (bit > p) break;
    if (Math.floor(p / bit) % 2 === 1) for (let i = 0; i < 16; i++) masks[at + i] ^= constant[i];
  }
}
const aes = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
let out = new Uint8Array(aes.update(plaintext.map((byte, i) => byte ^ masks[i])));
if (engine.mode === 'XEX') out = out.map((byte, i) => byte ^ masks[i]);
process.stdout.write(out);
