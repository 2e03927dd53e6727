/** Processes that run plain command lines, one after another in each process, equal lines only once. */
import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { PackageCopy, Ran } from './package-copy.js';

interface Task {
  readonly argv: readonly string[];
  readonly done: (ran: Ran) => void;
}

export class Runners {
  private readonly processes: ChildProcess[];
  private readonly idle: ChildProcess[];
  private readonly waiting: Task[] = [];
  private readonly ran = new Map<string, Promise<Ran>>();

  constructor(where: PackageCopy) {
    this.processes = Array.from({ length: availableParallelism() }, () =>
      fork(resolve('test/docs/runner.mjs'), [where.bundle], { execArgv: [], cwd: where.dir }),
    );
    this.idle = [...this.processes];
  }

  /** Runs a command line; the result of a repeated line is that of its first run. */
  run(argv: readonly string[]): Promise<Ran> {
    const key = JSON.stringify(argv);
    const before = this.ran.get(key);
    if (before !== undefined) return before;
    const ran = new Promise<Ran>((done) => {
      this.waiting.push({ argv, done });
    });
    this.ran.set(key, ran);
    this.next();
    return ran;
  }

  private next(): void {
    const runner = this.idle.pop();
    if (runner === undefined) return;
    const task = this.waiting.shift();
    if (task === undefined) {
      this.idle.push(runner);
      return;
    }
    const gone = (): void => {
      task.done({ status: 70, output: 'the process that ran it is gone' });
    };
    runner.once('exit', gone);
    runner.once('message', (ran: Ran) => {
      runner.off('exit', gone);
      task.done(ran);
      this.idle.push(runner);
      this.next();
    });
    runner.send({ argv: task.argv });
  }

  stop(): void {
    for (const runner of this.processes) runner.kill();
  }
}
