/** A fake terminal that records what commands write. */
import { Chalk } from 'chalk';
import { runCli } from '../../src/cli/main.js';
import type { Io } from '../../src/cli/io.js';

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export async function sme(
  argv: readonly string[],
  env: Io['env'] = {},
  tty = false,
  /** Other parts of the Io; `onOutput` is called when the command writes to stdout. */
  { onOutput, ...more }: Partial<Io> & { onOutput?: () => unknown } = {},
): Promise<Ran> {
  const text = { out: '', err: '' };
  const output = (name: keyof typeof text): Io['stdout'] => ({
    write: (more) => {
      if (name === 'out') onOutput?.();
      text[name] += more;
    },
    isTTY: tty,
    columns: tty ? 60 : undefined,
  });
  const io: Io = {
    stdout: output('out'),
    stderr: output('err'),
    paint: new Chalk({ level: 0 }),
    env,
    exitCode: 0,
    ...more,
  };
  const status = await runCli(argv, io);
  return { status, ...text };
}
