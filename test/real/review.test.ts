/** The records against the source of Debian's kernel 6.1. */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { sme } from '../cli/io.js';

const TREE = '.cache/linux-source-6.1';
jest.setTimeout(120_000);

interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly rows: readonly { claim: string; about: string; state: string; patch?: number }[];
}

/** For 6.1.192; a later stable kernel may move a few. */
const COUNTS = {
  records: { agrees: 90, moved: 84, gone: 40, 'not checked': 0, 'not in this release': 0 },
  model: { agrees: 408, moved: 220, gone: 68, 'not checked': 21, 'not in this release': 0 },
};

let status = -1;
let report: Report;
beforeAll(async () => {
  if (!existsSync(TREE)) {
    throw new Error(
      'There is no kernel source here: run node scripts/fetch-kernel-source.mjs first.',
    );
  }
  const { out, status: ended } = await sme(['review', '--tree', TREE, '--format', 'json']);
  status = ended;
  report = JSON.parse(out) as Report;
});

describe('the source of Debian 6.1', () => {
  test('has every claim where the records have it in 6.1, or has it not, as recorded', () => {
    const failed = report.rows.filter(({ state }) =>
      /^(?:missing|differs|not recorded)$/.test(state),
    );
    expect(failed).toEqual([]);
    expect(status).toBe(0);
  });

  test('has these counts', () => {
    const of = (about: string[]): Record<string, number> => {
      const rows = report.rows.filter((row) => about.includes(row.about));
      return Object.fromEntries(
        ['agrees', 'moved', 'gone', 'not checked', 'not in this release'].map((state) => [
          state,
          rows.filter((row) => row.state === state).length,
        ]),
      );
    };
    expect(of(['file', 'name', 'value', 'order'])).toEqual(COUNTS.records);
    expect(of(['model'])).toEqual(COUNTS.model);
  });

  test('has the functions of a trace', async () => {
    const trace = 'traces/epyc-efi/stage-18.yaml';
    const { out, status: ended } = await sme(['review', '--tree', TREE, '--trace', trace]);
    expect([ended, /^base start_kernel: agrees; .* at init\/main\.c:\d+$/m.test(out)]).toEqual([
      0,
      true,
    ]);
  });
});
