import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { packet } from '../../src/gdb/packet.js';
import { writeProgram } from './code-image.js';
import { sme, type Ran } from './io.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-debug-'));
  writeProgram(dir, 'halts');
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

interface Debugged {
  readonly socket: Socket;
  /** What the command printed on stderr. */
  readonly err: () => string;
  readonly ran: Promise<Ran>;
}

/** Starts the command and connects to it. */
async function debug(...words: string[]): Promise<Debugged> {
  let err = '';
  let listening: (port: number) => void = () => undefined;
  const port = new Promise<number>((resolve) => {
    listening = resolve;
  });
  const stderr = {
    write: (text: string): void => {
      err += text;
      const found = /^gdb: target remote 127\.0\.0\.1:(\d+)$/m.exec(err)?.[1];
      if (found !== undefined) listening(Number(found));
    },
    isTTY: false,
    columns: undefined,
  };
  const argv = ['run', 'bios-minimal', '--kernel', join(dir, 'halts'), '--execute', '--gdb', '0'];
  const ran = sme([...argv, ...words], {}, false, { stderr });
  const socket = connect(await port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.resume();
  return { socket, err: () => err, ran };
}

describe('run --execute --gdb', () => {
  test('after detach goes on to the end', async () => {
    const { socket, ran } = await debug();
    socket.write(packet('s'));
    socket.write(packet('D'));
    const { status, out } = await ran;
    expect(out).toMatch(/\nok\n\nhalt in _text\+0x17: .* after 11 instructions\n$/);
    expect(status).toBe(0);
  });

  test('ends where gdb kills the program, and says so', async () => {
    const { socket, ran } = await debug();
    socket.write(packet('s'));
    socket.write(packet('k'));
    const { status, out } = await ran;
    expect(out).toMatch(
      /\ninterrupted in _text\+0x7: killed by gdb, at 0x1000007, after 1 instructions\n$/,
    );
    expect(status).toBe(0);
  });

  test('Ctrl-C ends it', async () => {
    const { ran } = await debug();
    process.emit('SIGINT');
    const { status, out } = await ran;
    expect(out).toMatch(/\ninterrupted in _text: Ctrl-C, /);
    expect(status).toBe(130);
  });

  test('has no effect without --execute, and needs a port', async () => {
    const { status, err } = await sme(['run', '--gdb', '0']);
    expect([status, err]).toEqual([
      2,
      expect.stringContaining('--gdb has no effect without --execute'),
    ]);
    expect((await sme(['run', '--execute', '--gdb', '65536'])).status).toBe(2);
  });
});
