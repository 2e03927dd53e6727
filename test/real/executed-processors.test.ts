/** Debian's unmodified 6.1 kernel, executed with each processor that a scenario may name. */
import { expect, test } from '@jest/globals';
import { CPU_MODELS } from '../../src/machine/cpu/cpu-models.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { scenario } from '../helpers.js';
import { debianKernel } from './debian-kernel.js';

const CMDLINE = 'console=ttyS0 earlyprintk=serial,ttyS0,115200 mem_encrypt=on';
/** Its code for the processor has run: it reads more of CPUID than any other part, and divides by some of it. */
const LABEL = 'init_mem_mapping';
const image = debianKernel();

test.each(Object.keys(CPU_MODELS))(
  'the kernel finds what it needs of %s',
  (name) => {
    const settings = [`machine.cpu=${name}`, `cmdline=${CMDLINE}`];
    const boot = new ExecutedBoot({
      scenario: scenario('firmware-syscfg', ...settings),
      image,
      cipher: nodeCipher,
    });
    const end = boot.runTo(LABEL, 60e6);
    expect([end.kind, boot.labels.includes(LABEL)]).toEqual(['breakpoint', true]);
    expect(boot.uart.text).not.toMatch(/BUG:|WARNING: CPU|Oops|Kernel panic|PANIC/);
  },
  60_000,
);
