import { expect, test } from '@jest/globals';
import { scenarioNames } from '../../src/cli/run-options.js';
import { REASONS } from '../../src/inspect/exposure/why.js';
import { lineOf, sections } from './exposure.js';
import { sme } from './io.js';

test.each(scenarioNames())('%s has sane ranges, and the same sums as its run', async (name) => {
  const [section] = await sections(name);
  const { out } = await sme(['run', name]);
  if (section === undefined || section.encryptingCpus.length === 0) {
    expect([section?.ranges, lineOf(out)]).toEqual([[], undefined]);
    return;
  }
  const { ranges, dramBytes, cacheBytes } = section;
  expect(ranges.length).toBeGreaterThan(3);
  let end = 0;
  for (const { start, bytes, reason, why, owner, writer, where } of ranges) {
    expect(Number(start)).toBeGreaterThanOrEqual(end);
    end = Number(start) + bytes;
    expect(REASONS).toContain(reason);
    expect(reason).not.toBe('not-known');
    for (const text of [why, owner.text, writer.fn]) expect(text).toMatch(/^[^?]+$/);
    expect(why).not.toContain('on record');
    expect(['dram', 'cache']).toContain(where);
  }
  expect(ranges.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(dramBytes + cacheBytes);
  expect(lineOf(out)).toContain(` in ${String(ranges.length)} ranges `);
});
