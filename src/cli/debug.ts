/** `run --execute --gdb PORT`: gdb drives the boot until it detaches or kills it. */
import { serveGdb, type GdbEnd } from '../node/gdb-server.js';
import type { ExecutedBoot } from '../sequencer/executed-boot.js';
import type { Io } from './io.js';

/**
 * Says on stderr where gdb can connect, and resolves when it has detached or ended the program, or Ctrl-C came. Rejects with
 * E_PORT. `onSlice` is called after some instructions.
 */
export async function debugged(
  io: Io,
  boot: ExecutedBoot,
  port: number,
  onSlice: () => void,
): Promise<GdbEnd> {
  const controller = new AbortController();
  const onInterrupt = (): void => {
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  const { maxInstructions } = boot.options;
  try {
    return await serveGdb(boot, {
      port,
      ...(maxInstructions !== undefined && { maxInstructions }),
      onSlice,
      signal: controller.signal,
      onListening: (at) => {
        io.stderr.write(`gdb: target remote 127.0.0.1:${String(at)}\n`);
      },
    });
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}
