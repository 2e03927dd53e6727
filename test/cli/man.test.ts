import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { macro, roffText } from '../../src/cli/roff.js';
import { sme } from './io.js';

describe('text in roff', () => {
  test.each([
    ['--stage <N>', '\\-\\-stage <N>'],
    ["it's", 'it\\(aqs'],
    ['a\\b', 'a\\(rsb'],
    ['"x" `y` ^ ~', '\\(dqx\\(dq \\(gay\\(ga \\(ha \\(ti'],
    ['.TH', '\\&.TH'],
    ["'br", '\\(aqbr'],
    ['event={…}', 'event={\\[u2026]}'],
    ['😀', '\\[u1F600]'],
    ['a\nb', 'a b'],
  ])('%j', (text, expected) => {
    expect(roffText(text)).toBe(expected);
  });
  test('arguments of a macro are quoted', () => {
    expect(macro('SH', 'SEE "ALSO"')).toBe('.SH "SEE \\(dqALSO\\(dq"');
  });
});

describe('the man page', () => {
  const requests = /^\.(?:TH|SH|SS|TP|PP|RS|RE|B|nf|fi)(?: |$)/;
  test('has the commands, their options, the exit statuses and the environment', async () => {
    const { status, out } = await sme(['man']);
    expect(status).toBe(0);
    for (const line of [
      '.SH "NAME"',
      '.SS "sme\\-boot run [options] [SCENARIO]"',
      '.B "\\-\\-stage <N>"',
      '.SS "sme\\-boot scenario from\\-dmesg [options] <FILE>"',
      '.SH "EXIT STATUS"',
      '.B "NO_COLOR"',
    ]) {
      expect(out.split('\n')).toContain(line);
    }
    expect(out).not.toContain('__complete');
    const former = ['\\-\\-neutral', '\\-\\-reporter', '\\-\\-trace\\-format', '\\-\\-out '];
    for (const name of former) expect(out).not.toContain(`"${name}`);
  });

  test('is ASCII, and its requests are those of man(7)', async () => {
    const { out } = await sme(['man']);
    expect(out).toMatch(/^[\n\x20-\x7e]*$/);
    const control = out.split('\n').filter((line) => /^[.']/.test(line));
    expect(control.filter((line) => !requests.test(line))).toEqual([]);
    // Each escape is one of those that roffText writes.
    const escapes = out.replace(/\\(?:-|&|\((?:rs|aq|ga|ha|ti|dq)|\[u[0-9A-F]{4,}\])/g, '');
    expect(escapes).not.toContain('\\');
  });

  test('in the package is up to date (npm run man)', async () => {
    const { out } = await sme(['man']);
    expect(readFileSync('man/sme-boot.1', 'utf8')).toBe(out);
  });
});
