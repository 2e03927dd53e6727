/** The man page as groff reads it, and as mandoc lints it. */
import { describe, expect, test } from '@jest/globals';
import { tool, toolText } from './tool.js';
import { sme } from '../cli/io.js';

describe('the man page', () => {
  test('is read by groff without a warning, and its lines fit 80 columns', async () => {
    const { out } = await sme(['man']);
    const text = toolText('sh', ['-c', 'groff -man -Tutf8 -ww -P-cbou 2>&1'], out);
    // Its own messages begin with the name of a program and a line.
    expect(text).not.toMatch(/^(?:groff|troff|grotty)[^\n]*(?:warning|error)/m);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    // Quotes and dashes can be pasted.
    expect(text).toContain("sme-boot bisect rfc-v1 --expect 'garbage=nic to device'");
  });

  test('has no error for mandoc', async () => {
    const { out } = await sme(['man']);
    tool('mandoc', ['-T', 'lint', '-W', 'error'], out);
  });
});
