/** The sanitizer on boots without encryption: stages 00 to 17 of all scenarios. */
import { expect, test } from '@jest/globals';
import { scenarioNames } from '../../src/cli/run-options.js';
import { LAST_STAGE } from '../../src/series/patches.js';
import { boot, scenario } from '../helpers.js';

const rows = scenarioNames('.').flatMap((name) =>
  Array.from({ length: LAST_STAGE }, (_, stage) => ({ name, stage })),
);

test('all scenarios have rows', () => {
  expect(new Set(rows.map(({ name }) => name)).size).toBeGreaterThan(19);
});

// A kernel that is entered by kexec has all patches: its steps are those of stage 18.
test.each(rows)('$name --stage $stage has no report', ({ name, stage }) => {
  const { reports = [] } = boot({ scenario: scenario(name), stage, sanitize: true }).run();
  expect(reports.filter(({ step }) => !step.startsWith('kexec:'))).toEqual([]);
});
