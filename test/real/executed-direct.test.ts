/** Debian's cloud kernel executed with and without direct accesses to cached lines and translated code: the same machine. */
import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { pa } from '../../src/machine/address.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { scenario } from '../helpers.js';
import { debianKernel } from './debian-kernel.js';

const image = debianKernel();

/** Digests of all parts of the machine, the least recently used order of lines and the TLB among them. */
function stateAfter(
  instructions: number,
  direct: boolean,
  translateAfter: number,
): Record<string, unknown> {
  const boot = new ExecutedBoot({
    scenario: scenario('firmware-syscfg', 'cmdline=console=ttyS0 nokaslr mem_encrypt=on'),
    image,
    cipher: nodeCipher,
    direct,
    translateAfter,
  });
  boot.run({ maxInstructions: instructions });
  const digest = (...parts: (Uint8Array | string)[]): string => {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
    new Uint8Array(buffer, byteOffset, byteLength);
  const { machine, executor } = boot;
  const { tags, data } = machine.cache.view();
  const registers = [...executor.core.r, executor.core.rip, executor.core.flags.value];
  const { tlb } = machine.cpus[0];
  const state = {
    registers,
    tags: digest(bytes(tags.low), bytes(tags.high), tags.dirtyBits, bytes(tags.written)),
    replacement: digest(bytes(tags.replacement.used), String(tags.replacement.clock)),
    lines: digest(data),
    tlb: digest(JSON.stringify(tlb.entries())),
  };
  machine.cache.wbinvd('all');
  return { ...state, dram: digest(machine.dram.peek(pa(0), 2 ** 30)) };
}

test.each([100_000, 15_000_000])(
  'after %i instructions',
  (instructions) => {
    const expected = stateAfter(instructions, false, Infinity);
    expect(stateAfter(instructions, true, Infinity)).toEqual(expected);
    expect(stateAfter(instructions, true, 50)).toEqual(expected);
  },
  600_000,
);
