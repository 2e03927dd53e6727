import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { packet, PacketReader } from '../../src/gdb/packet.js';
import { serveGdb, type GdbEnd, type GdbServerOptions } from '../../src/node/gdb-server.js';
import type { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { at, guest } from '../gdb/guest.js';

/** A connection as gdb makes it. */
class Client {
  private readonly packets: string[] = [];
  private wake: () => void = () => undefined;
  closed = false;
  text = '';

  constructor(readonly socket: Socket) {
    const reader = new PacketReader();
    socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
      for (const one of reader.push(bytes)) if (one.kind === 'packet') this.packets.push(one.data);
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  private async until(done: () => boolean): Promise<void> {
    while (!done()) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** The data of the next packet. */
  async next(): Promise<string> {
    await this.until(() => this.packets.length > 0 || this.closed);
    return this.packets.shift() ?? 'closed';
  }

  async ask(data: string): Promise<string> {
    this.socket.write(packet(data));
    return this.next();
  }

  async end(): Promise<void> {
    await this.until(() => this.closed);
  }
}

const clients: Client[] = [];
const servers: AbortController[] = [];
afterEach(() => {
  for (const { socket } of clients) socket.destroy();
  for (const server of servers) server.abort();
});

async function client(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  const made = new Client(socket);
  clients.push(made);
  await new Promise((resolve) => socket.once('connect', resolve));
  return made;
}

interface Served {
  readonly port: number;
  readonly end: Promise<GdbEnd>;
}

async function serve(boot: ExecutedBoot, more: Partial<GdbServerOptions> = {}): Promise<Served> {
  const controller = new AbortController();
  servers.push(controller);
  return new Promise((resolve, reject) => {
    const end: Promise<GdbEnd> = serveGdb(boot, {
      port: 0,
      signal: controller.signal,
      ...more,
      onListening: (port) => {
        resolve({ port, end });
      },
    });
    end.catch(reject);
  });
}

describe('a server', () => {
  test('answers, runs the program to a breakpoint, and resolves after detach', async () => {
    const boot = guest();
    const { port, end } = await serve(boot);
    const gdb = await client(port);
    expect(await gdb.ask('?')).toBe('T05thread:1;');
    expect(await gdb.ask(`Z0,${at('finish').toString(16)},1`)).toBe('OK');
    expect(await gdb.ask('vCont;c')).toBe('T05swbreak:;thread:1;');
    expect(boot.executor.core.rip).toBe(at('finish'));
    expect(await gdb.ask('D')).toBe('OK');
    expect(await end).toBe('detached');
    await gdb.end();
  });

  test('is interrupted while the program runs, and tells of each slice', async () => {
    const boot = guest();
    let slices = 0;
    const { port, end } = await serve(boot, { onSlice: () => slices++ });
    boot.executor.core.rip = at('spin') as typeof boot.executor.core.rip;
    const gdb = await client(port);
    gdb.socket.write(packet('c'));
    while (slices < 3) await new Promise((resolve) => setImmediate(resolve));
    gdb.socket.write(Uint8Array.of(3));
    expect(await gdb.next()).toBe('T02thread:1;');
    expect(boot.executor.instructions).toBeGreaterThanOrEqual(300_000);
    gdb.socket.write(packet('k'));
    expect(await end).toBe('killed');
    await gdb.end();
  });

  test('stands still where gdb has gone, and the next one goes on from there', async () => {
    const boot = guest();
    boot.executor.core.rip = at('spin') as typeof boot.executor.core.rip;
    const { port } = await serve(boot);
    const first = await client(port);
    first.socket.write(packet('c'));
    while (boot.executor.instructions === 0) await new Promise((resolve) => setImmediate(resolve));
    first.socket.resetAndDestroy();
    await first.end();
    let second: Client;
    let reply: string;
    do {
      second = await client(port);
      reply = await second.ask('?');
    } while (reply === 'closed');
    expect(reply).toBe('T05thread:1;');
    const { instructions } = boot.executor;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(boot.executor.instructions).toBe(instructions);
    expect(await second.ask('s')).toBe('T05thread:1;');
    expect(boot.executor.instructions).toBe(instructions + 1);
  });

  test('takes one connection at a time', async () => {
    const { port } = await serve(guest());
    const first = await client(port);
    expect(await first.ask('qC')).toBe('QC1');
    await (await client(port)).end();
    expect(await first.ask('qC')).toBe('QC1');
  });

  test('is not harmed by noise', async () => {
    const { port } = await serve(guest());
    const gdb = await client(port);
    gdb.socket.write(Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) >> 3));
    gdb.socket.write('$m0,1#00$#$$$}#\x03');
    gdb.socket.write('#00');
    expect(await gdb.ask('qC')).toBe('QC1');
    expect(gdb.text).toContain('-');
  });

  test('is at 127.0.0.1 only', async () => {
    const { port } = await serve(guest());
    // Linux has all of 127.0.0.0/8 on the loopback interface: a server on every address would answer.
    const socket = connect(port, '127.0.0.2');
    const code = await new Promise((resolve) => {
      socket.once('connect', () => {
        resolve('connected');
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code);
      });
    });
    socket.destroy();
    expect(code).toBe('ECONNREFUSED');
  });

  test('a port in use is an error', async () => {
    const { port } = await serve(guest());
    const refused = await serve(guest(), { port }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'E_PORT' });
    expect(String(refused)).toContain(`127.0.0.1:${String(port)}: `);
  });

  test('ends by its signal', async () => {
    const controller = new AbortController();
    const { port, end } = await serve(guest(), { signal: controller.signal });
    const gdb = await client(port);
    expect(await gdb.ask('qC')).toBe('QC1');
    controller.abort();
    expect(await end).toBe('aborted');
    await gdb.end();
    expect(await serveGdb(guest(), { port: 0, signal: controller.signal })).toBe('aborted');
  });
});
