/** Serves gdb's remote protocol for an executed boot, on a TCP port of the loopback interface. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { InputError } from '../base/errors.js';
import { describeThrown } from '../base/thrown.js';
import type { Debugged } from '../gdb/names.js';
import { Session } from '../gdb/session.js';
import { Target } from '../gdb/target.js';

export interface GdbServerOptions {
  /** The port; 0: any that is free. */
  readonly port: number;
  /** Instructions after which the execution stops, counted from the boot's first. */
  readonly maxInstructions?: number;
  /** Called once gdb can connect, with the port. */
  readonly onListening?: (port: number) => void;
  /** Called after each slice of instructions: the console may have new output. */
  readonly onSlice?: () => void;
  /** Ends the server. */
  readonly signal?: AbortSignal;
}

/** How it ended: gdb has let the program go on or ended it, or the signal came. */
export type GdbEnd = 'detached' | 'killed' | 'aborted';

const LOOPBACK = '127.0.0.1';

/** One connection. */
class Connection {
  private scheduled = false;

  constructor(
    readonly socket: Socket,
    private readonly session: Session,
    private readonly onSlice: () => void,
    private readonly onClosed: (end: 'detached' | 'killed') => void,
    private readonly onFailure: (error: unknown) => void,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.guarded(() => session.receive(bytes));
    });
  }

  private guarded(work: () => Uint8Array): void {
    try {
      const bytes = work();
      if (bytes.length > 0) this.socket.write(bytes);
    } catch (error) {
      this.onFailure(error);
      return;
    }
    const { closed } = this.session;
    if (closed !== null) this.onClosed(closed);
    else this.schedule();
  }

  /** Lets what gdb has sent be read between two slices. */
  private schedule(): void {
    if (this.scheduled || !this.session.running) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      // Without its debugger the program stands still.
      if (this.socket.destroyed) return;
      this.guarded(() => {
        const bytes = this.session.slice();
        this.onSlice();
        return bytes;
      });
    });
  }
}

/**
 * Lets gdb connect, one at a time; the next may connect when one has gone without `detach` or `kill`. Resolves after one
 * of the two. Rejects with E_PORT if the port cannot be had, and with what the execution throws.
 */
export function serveGdb(boot: Debugged, options: GdbServerOptions): Promise<GdbEnd> {
  const { port, onListening, onSlice = () => undefined, signal } = options;
  const target = new Target(boot, options.maxInstructions);
  return new Promise((resolve, reject) => {
    let current: Connection | null = null;
    const server: Server = createServer();
    const finish = (settle: () => void): void => {
      server.close();
      // What was written is still sent.
      current?.socket.end();
      current = null;
      signal?.removeEventListener('abort', aborted);
      settle();
    };
    const aborted = (): void => {
      current?.socket.destroy();
      finish(() => {
        resolve('aborted');
      });
    };
    server.on('connection', (socket) => {
      // A reset or a broken pipe: 'close' follows.
      socket.on('error', () => undefined);
      if (current !== null) {
        socket.destroy();
        return;
      }
      const connection = new Connection(
        socket,
        new Session(target),
        onSlice,
        (end) => {
          finish(() => {
            resolve(end);
          });
        },
        (error) => {
          socket.destroy();
          finish(() => {
            reject(error instanceof Error ? error : new Error(describeThrown(error)));
          });
        },
      );
      current = connection;
      socket.on('close', () => {
        if (current === connection) current = null;
      });
    });
    server.on('error', (cause) => {
      const found = `${LOOPBACK}:${String(port)}: ${cause.message}`;
      const expected = 'a port that is free';
      reject(new InputError({ code: 'E_PORT', expected, found, cause }));
    });
    if (signal?.aborted === true) {
      resolve('aborted');
      return;
    }
    signal?.addEventListener('abort', aborted);
    server.listen(port, LOOPBACK, () => {
      onListening?.((server.address() as AddressInfo).port);
    });
  });
}
