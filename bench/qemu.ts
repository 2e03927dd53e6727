/** The same kernel image under QEMU's translator, for the ratio of times: without encryption, which QEMU does not have. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const QEMU = 'qemu-system-x86_64';
/** What the kernel prints when it calls the first printk, and when it is in free_initmem. */
const FIRST = 'Linux version';
const LAST = 'Freeing unused kernel image (initmem)';
/** The most seconds until `LAST`. */
const MOST = 120;

/** QEMU's version; undefined: it is not installed. */
export function qemuVersion(): string | undefined {
  const { stdout, error } = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
  return error === undefined ? (/version (\S+)/.exec(stdout)?.[1] ?? 'unknown') : undefined;
}

/** Seconds from the first printk to free_initmem. Rejects if the kernel does not come there. */
export async function qemuSeconds(
  vmlinuz: string,
  initrd: Uint8Array,
  cmdline: string,
): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'sme-boot-qemu-'));
  try {
    const ramdisk = join(work, 'initrd');
    writeFileSync(ramdisk, initrd);
    return await measured([
      ...['-accel', 'tcg,thread=single', '-cpu', 'EPYC', '-m', '2048', '-no-reboot'],
      ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
      ...['-kernel', vmlinuz, '-initrd', ramdisk],
      ...['-append', `${cmdline} earlyprintk=serial,ttyS0,115200`],
    ]);
  } finally {
    rmSync(work, { recursive: true });
  }
}

function measured(args: readonly string[]): Promise<number> {
  const child = spawn(QEMU, args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: MOST * 1000 });
  let text = '';
  let first: number | undefined;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => reject(new Error(`QEMU ended without "${LAST}"`)));
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      if (first === undefined && text.includes(FIRST)) first = performance.now();
      if (first === undefined || !text.includes(LAST)) return;
      resolve((performance.now() - first) / 1000);
      child.kill('SIGKILL');
    });
  });
}
