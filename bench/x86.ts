/** Instructions per second of a kernel image that is executed, from its entry to its first console message and beyond. */
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { builtInInitrd } from '../src/firmware/initrd.js';
import { readKernelImage } from '../src/firmware/image/kernel-image.js';
import { nodeCipher } from '../src/node/node-cipher.js';
import { parseScenario, setPath } from '../src/scenario/scenario.js';
import { ExecutedBoot } from '../src/sequencer/executed-boot.js';
import { qemuSeconds, qemuVersion } from './qemu.js';

const RECORD = '.cache/debian-kernel/kernel.json';
const CMDLINE = 'console=ttyS0 mem_encrypt=on cryptomgr.notests';
/** Functions of 6.1 in the order in which a boot enters them; the last one is called right before /init is executed. */
const FUNCTIONS = [
  ...['x86_64_start_kernel', '_printk', 'init_mem_mapping', 'setup_per_cpu_areas'],
  ...['mm_init', 'console_init', 'mem_encrypt_init', 'free_initmem'],
];

/** The function of the first console message, and the last one. */
const [FIRST, LAST] = ['_printk', 'free_initmem'];

function boot(vmlinuz: string): ExecutedBoot {
  const image = readKernelImage(new Uint8Array(readFileSync(vmlinuz)), { file: vmlinuz });
  const file = 'scenarios/firmware-syscfg.yaml';
  const data = setPath(parse(readFileSync(file, 'utf8')), `cmdline=${CMDLINE}`);
  return new ExecutedBoot({ scenario: parseScenario(file, data), image, cipher: nodeCipher });
}

/** Seconds from the first console message to the last function. */
function measure(vmlinuz: string): number {
  const subject = boot(vmlinuz);
  const { executor } = subject;
  const start = performance.now();
  const times = new Map<string, number>();
  for (const name of FUNCTIONS) {
    subject.runTo(name);
    const seconds = (performance.now() - start) / 1000;
    times.set(name, seconds);
    const millions = executor.instructions / 1e6;
    console.log(
      `x86: ${name.padEnd(24)} ${millions.toFixed(2).padStart(7)} M instructions ` +
        `${seconds.toFixed(2).padStart(6)} s ${(millions / seconds).toFixed(1).padStart(5)} M/s`,
    );
  }
  console.log(`x86: peak memory ${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB`);
  return (times.get(LAST) ?? NaN) - (times.get(FIRST) ?? NaN);
}

async function compare(vmlinuz: string, own: number): Promise<void> {
  const version = qemuVersion();
  if (version === undefined) {
    console.log('x86: QEMU is not installed (Debian package qemu-system-x86): no ratio to it');
    return;
  }
  const seconds = await qemuSeconds(vmlinuz, builtInInitrd(), CMDLINE);
  console.log(
    `x86: ${FIRST} to ${LAST} ${own.toFixed(2)} s; QEMU ${version} (TCG, no encryption) ` +
      `${seconds.toFixed(2)} s: ${(own / seconds).toFixed(1)} times`,
  );
}

if (existsSync(RECORD)) {
  const { vmlinuz } = JSON.parse(readFileSync(RECORD, 'utf8')) as { vmlinuz: string };
  await compare(vmlinuz, measure(vmlinuz));
} else console.log('x86: run scripts/fetch-debian-kernel.mjs first');
