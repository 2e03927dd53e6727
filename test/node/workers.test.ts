import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runOnWorkers } from '../../src/node/workers.js';
import { InputError } from '../../src/base/errors.js';

interface Task {
  readonly n: number;
  readonly act?: 'throw' | 'refuse' | 'leave' | 'wait' | 'meet';
}
interface Message {
  readonly n: number;
  readonly thread: number;
}

/** Posts its task twice, or does what the task names. Two `meet` tasks wait for each other. */
const PROGRAM = `
  import { appendFileSync, readFileSync } from 'node:fs';
  import { parentPort, threadId } from 'node:worker_threads';
  const log = new URL('./log', import.meta.url);
  parentPort.on('message', ({ n, act }) => {
    if (act === 'throw') throw new RangeError('task ' + n + ' fails');
    if (act === 'leave') process.exit(3);
    appendFileSync(log, n + '\\n');
    parentPort.postMessage({ message: { n, thread: threadId } });
    if (act === 'wait') return;
    if (act === 'refuse') {
      const place = { file: 'f.yaml', path: 'a.b' };
      parentPort.postMessage({ refused: { code: 'E_X', place, expected: '1', found: '2' } });
      return;
    }
    if (act === 'meet') while (readFileSync(log, 'utf8').split('\\n').length < 3);
    parentPort.postMessage({ message: { n: n + 0.5, thread: threadId } });
    parentPort.postMessage({ done: true });
  });
`;

let dir: string;
let program: URL;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sme-boot-workers-'));
  writeFileSync(join(dir, 'worker.mjs'), PROGRAM);
  program = pathToFileURL(join(dir, 'worker.mjs'));
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** Runs tasks and returns all messages. */
async function run(
  tasks: readonly Task[],
  count: number,
  signal = new AbortController().signal,
  onMessage: (message: Message) => void = () => undefined,
): Promise<Message[]> {
  writeFileSync(join(dir, 'log'), '');
  const messages: Message[] = [];
  await runOnWorkers<Task, Message>(
    program,
    tasks,
    count,
    (message) => {
      messages.push(message);
      onMessage(message);
    },
    signal,
  );
  return messages;
}
const tasksUpTo = (count: number): Task[] => Array.from({ length: count }, (_, n) => ({ n }));

describe('a pool of workers', () => {
  test.each([
    [0, 2],
    [1, 4],
    [7, 1],
    [7, 3],
    [3, 7],
  ])('does %i tasks on %i workers, each once, and passes on all messages', async (n, count) => {
    const messages = await run(tasksUpTo(n), count);
    const expected = tasksUpTo(n).flatMap((task) => [task.n, task.n + 0.5]);
    expect(messages.map((message) => message.n).sort((a, b) => a - b)).toEqual(expected);
    const threads = new Set(messages.map(({ thread }) => thread));
    expect(threads.size).toBeLessThanOrEqual(Math.min(n, count));
    // Messages of one worker arrive in their order.
    for (const thread of threads) {
      const own = messages.filter((message) => message.thread === thread).map((each) => each.n);
      expect(own).toEqual([...own].sort((a, b) => a - b));
    }
  });

  test('runs all its workers at the same time', async () => {
    const messages = await run(
      [
        { n: 0, act: 'meet' },
        { n: 1, act: 'meet' },
      ],
      2,
    );
    expect(new Set(messages.map(({ thread }) => thread)).size).toBe(2);
  });

  test('rejects with the error of a worker, and starts no more tasks', async () => {
    const tasks: Task[] = [{ n: 0, act: 'throw' }, ...tasksUpTo(3).map(({ n }) => ({ n: n + 1 }))];
    const error: unknown = await run(tasks, 1).catch((cause: unknown) => cause);
    expect(String(error)).toBe('RangeError: task 0 fails');
    expect(readFileSync(join(dir, 'log'), 'utf8')).toBe('');
  });

  test('rejects with the InputError of a worker, with code and place', async () => {
    const error: unknown = await run([{ n: 0, act: 'refuse' }], 2).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(InputError);
    expect(String(error)).toContain('E_X: f.yaml, a.b: expected 1, found 2');
  });

  test('rejects if a worker exits before its task is done', async () => {
    const tasks: Task[] = [{ n: 0 }, { n: 1, act: 'leave' }, { n: 2 }];
    await expect(run(tasks, 1)).rejects.toThrow(/worker.*3/);
  });

  test('stops at once on abort', async () => {
    const abort = new AbortController();
    const tasks: Task[] = [{ n: 0 }, { n: 1, act: 'wait' }, { n: 2 }, { n: 3 }];
    const messages = await run(tasks, 1, abort.signal, ({ n }) => {
      if (n === 1) abort.abort();
    });
    expect(messages.map(({ n }) => n)).toEqual([0, 0.5, 1]);
  });

  test('does not start if it was aborted before', async () => {
    const abort = new AbortController();
    abort.abort();
    expect(await run(tasksUpTo(3), 2, abort.signal)).toEqual([]);
    expect(readFileSync(join(dir, 'log'), 'utf8')).toBe('');
  });
});
