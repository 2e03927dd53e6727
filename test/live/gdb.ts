/** Debian's gdb in batch mode, attached to a boot in this process. */
import { spawn } from 'node:child_process';
import { serveGdb, type GdbEnd } from '../../src/node/gdb-server.js';
import type { ExecutedBoot } from '../../src/sequencer/executed-boot.js';

/** gdb's output, its exit status, and how the server ended; `aborted` if gdb has gone without a word. */
export interface Ran {
  readonly output: string;
  readonly status: number | null;
  readonly end: GdbEnd;
}

/** Runs gdb's commands, after `target remote`. */
export async function gdb(boot: ExecutedBoot, commands: readonly string[]): Promise<Ran> {
  const controller = new AbortController();
  let listening: (port: number) => void = () => undefined;
  const port = new Promise<number>((resolve) => {
    listening = resolve;
  });
  const end = serveGdb(boot, { port: 0, onListening: listening, signal: controller.signal });
  const connect = `target remote 127.0.0.1:${String(await port)}`;
  const all = ['set pagination off', 'set confirm off', 'set tcp connect-timeout 60', connect];
  const args = [...all, ...commands].flatMap((each) => ['-ex', each]);
  const child = spawn('gdb', ['--nx', '--batch', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error('gdb did not run (Debian package gdb)', { cause }));
    });
    child.once('close', resolve);
  }).finally(() => {
    // The socket's last bytes may still be on their way.
    setTimeout(() => {
      controller.abort();
    }, 1000);
  });
  return { output, status, end: await end };
}
