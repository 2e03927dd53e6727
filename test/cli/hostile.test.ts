/** Inputs made to crash, stall or swell the program: each is refused with code, place, expected and found. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS } from '../../src/base/limits.js';
import { sme } from './io.js';

const dir = mkdtempSync(join(tmpdir(), 'sme-boot-hostile-'));
afterAll(() => rmSync(dir, { recursive: true }));
const path = (name: string): string => join(dir, name);
const write = (name: string, text: string | Uint8Array): string => {
  writeFileSync(path(name), text);
  return path(name);
};

const MACHINE = 'machine: { cpu: zen-1, ram: 2GiB';
const scenarioText = (rest: string): string => `name: x\ntitle: t\n${MACHINE}${rest} }\n`;

beforeAll(() => {
  write('sparse', '');
  truncateSync(path('sparse'), 600 * 2 ** 20);
});

/** The longest a refusal may take on a busy machine, in milliseconds. */
const SOON = 20_000;

describe('a file of any size is refused before it is read', () => {
  test.each([
    ['run', '{}'],
    ['check', '{}'],
    ['probe', '{}'],
    ['matrix', 'merge', '{}'],
    ['run', 'bios-minimal', '--dtb', '{}'],
    ['run', 'bios-minimal', '--series', '{}'],
    ['scenario', 'from-dmesg', '{}'],
  ])(
    '%s %s %s %s',
    async (...words) => {
      for (const file of [path('sparse'), '/dev/zero']) {
        const { status, err, out } = await sme(words.map((word) => word.replace('{}', file)));
        expect(status).toBe(2);
        // An invalid file of expectations is a failed test.
        expect(out).toMatch(words[0] === 'check' ? /^FAILED .*\n {2}E_FILE_TOO_LARGE/ : /^$/);
        if (/unknown option|no such/.test(err)) throw new Error(err);
        expect(err).toMatch(/E_(FILE_TOO_LARGE|DTB_SIZE): .*expected at most \d+ bytes, found /);
      }
    },
    SOON,
  );

  test(
    'an endless initrd or kernel',
    async () => {
      for (const flag of ['--initrd', '--kernel']) {
        const { status, err } = await sme(['run', 'bios-minimal', flag, '/dev/zero']);
        expect(status).toBe(2);
        expect(err).toContain('E_FILE_TOO_LARGE: /dev/zero: expected at most 268435456 bytes');
      }
    },
    SOON,
  );
});

describe('a scenario', () => {
  test.each([
    [
      'a cache',
      ', cache: { size: 4GiB }',
      /x\.yaml:3:\d+, machine\.cache\.size: at most 268435456/,
    ],
    ['a cache in ways', ', cache: { size: 2GiB, ways: 64 }', /x\.yaml:3:\d+, machine\.cache\.size/],
    [
      'devices',
      `, devices: [${Array.from({ length: 10_000 }, (_, i) => `{name: d${String(i)}, dmaMask: 32}`).join(', ')}]`,
      /x\.yaml:3:\d+, machine\.devices: .*252.*found a list of 10000/,
    ],
    ['a value', `, seed: [${'['.repeat(50)}${']'.repeat(50)}]`, /machine\.seed: .*found a list/],
    [
      'an unknown key',
      ', rams: 1',
      /E_UNKNOWN_KEY: .*x\.yaml:3:\d+, machine\.rams: .*"rams"; .*did you mean ram\?/,
    ],
    ['a long name', `, ${'k'.repeat(100_000)}: 1`, /E_UNKNOWN_KEY: .*100\d\d\d characters/],
  ])(
    'with %s that is too large has the line, what is expected and what is found',
    async (_what, rest, message) => {
      const { status, err } = await sme(['run', write('x.yaml', scenarioText(rest))]);
      expect(status).toBe(2);
      expect(err).toMatch(message);
      expect(err.length).toBeLessThan(4 * LIMITS.message.most);
    },
    SOON,
  );

  test(
    'of 40,000 keys is refused with a short message',
    async () => {
      const keys = Array.from({ length: 40_000 }, (_, i) => `k${String(i)}: 1`);
      for (const text of [keys.join('\n'), `{${keys.join(', ')}}`]) {
        const { status, err } = await sme(['run', write('x.yaml', text)]);
        expect(status).toBe(2);
        expect(err).toMatch(/E_FILE_TOO_LARGE|E_UNKNOWN_KEY|E_SCENARIO/);
        expect(err.length).toBeLessThan(400);
      }
    },
    SOON,
  );

  test('that is not UTF-8 is refused with line, offset and byte', async () => {
    const file = write('x.yaml', Uint8Array.of(0x61, 0x3a, 0x0a, 0x62, 0xe4, 0x22, 0x0a));
    const { status, err } = await sme(['run', file]);
    expect(status).toBe(2);
    expect(err).toMatch(/E_UTF8: .*x\.yaml:2, offset 0x4: expected text in UTF-8, found byte 0xe4/);
  });

  test('has no line for a value of --set', async () => {
    const { err } = await sme(['run', 'bios-minimal', '--set', 'machine.ram=1']);
    expect(err).toMatch(/E_SCENARIO: scenarios\/bios-minimal\.yaml, machine\.ram: /);
    expect(err).toContain('found 1');
  });
});

describe('a setting', () => {
  test.each([
    ['a path of 8,000 names', `${'a.'.repeat(8000)}a=1`, /E_SET: expected at most 16 names/],
    [
      'a value nested 60,000 deep',
      `machine.ram=${'['.repeat(60_000)}`,
      /machine\.ram: .*found "\[/,
    ],
    [
      'a list nested 20,000 deep',
      `machine.ram=${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      /machine\.ram: .*found a list/,
    ],
    ['a name of Object.prototype', '__proto__.a=1', /E_UNKNOWN_KEY: .*__proto__/],
  ])('with %s is refused', async (_what, setting, message) => {
    const { status, err } = await sme(['run', 'bios-minimal', '--set', setting]);
    expect(status).toBe(2);
    expect(err).toMatch(message);
  });

  test('with a long path is refused in a match file too', async () => {
    const run = `run: {scenario: bios-minimal, set: {${'a.'.repeat(8000)}a: 1}}`;
    const file = write('m.yaml', `expect: match\n${run}\nmatch: [{expect: {console: x}}]\n`);
    const { status, err, out } = await sme(['check', file]);
    expect(status).not.toBe(0);
    expect(err + out).toContain('E_SET');
  });
});

describe('inspect', () => {
  test.each(['constructor', '__proto__', 'toString'])('finds no symbol %s', async (name) => {
    const { status, err } = await sme(['inspect', '--at', 'x86_64_start_kernel', '--vtop', name]);
    expect(status).toBe(2);
    expect(err).toContain(name);
  });

  test('prints a bounded range, and says so', async () => {
    const words = ['inspect', '--at', 'x86_64_start_kernel', '--mem', '0:67108864'];
    const { status, err } = await sme(words);
    expect(status).toBe(2);
    expect(err).toMatch(/E_MEM: --mem: expected at most 1048576 bytes, found 67108864/);
  });
});

test('a call script may not call a name of Object.prototype', async () => {
  const text = 'probe: p\npatch: 7\nscenario: bios-minimal\nat: reserve_initrd\ncalls:\n';
  for (const entry of ['__proto__', 'constructor', 'toString']) {
    const file = write('p.yaml', `${text}  - { entry: ${entry} }\n`);
    const { status, err } = await sme(['probe', file]);
    expect(status).toBe(2);
    expect(err).toMatch(/E_/);
  }
});

describe('a match file', () => {
  const head = 'expect: match\nrun: { scenario: bios-minimal, stage: 0 }\nmatch:\n';

  test(
    'with a pattern that backtracking never ends is decided',
    async () => {
      const set = `set: { cmdline: "${'a'.repeat(34)}" }`;
      const run = `expect: match\nrun: { scenario: bios-minimal, ${set} }\n`;
      const file = write('m.yaml', `${run}match:\n  - expect: { console: '/(a|a)+!$/' }\n`);
      const { status, out } = await sme(['check', file]);
      expect(status).toBe(1);
      expect(out).toContain('not found');
    },
    SOON,
  );

  test(
    'with 5,000 directives is refused with the line',
    async () => {
      const each = '  - any-order: [{console: /./}, {console: /./}]\n';
      const { status, err, out } = await sme(['check', write('m.yaml', head + each.repeat(5000))]);
      expect(status).not.toBe(0);
      expect(err + out).toMatch(/E_EXPECTATION: .*m\.yaml:4:\d+, match: expected at most 1000/);
    },
    SOON,
  );
});

describe('a kernel log', () => {
  const map = 'BIOS-e820: [mem 0x0-0x9fbff] usable\nBIOS-e820: [mem 0x100000-0x7fffffff] usable\n';

  test.each([
    [
      'lines of blanks',
      `Command line: a${' '.repeat(400_000)}x\n${`${' '.repeat(9000)}\n`.repeat(200)}`,
    ],
    ['broken lines of a map', `${'BIOS-e820: [mem 0x'.repeat(400)}\n`.repeat(500)],
    ['quoting marks', `${'> '.repeat(4000)}\n`.repeat(500)],
    ['words of drivers', `${'a:b:c: xhci_hcd ahci DMA dma_mask '.repeat(200)}\n`.repeat(500)],
  ])(
    'with %s is read or refused in linear time',
    async (_what, text) => {
      const { status } = await sme(['scenario', 'from-dmesg', write('a.log', map + text)]);
      expect([0, 2]).toContain(status);
    },
    SOON,
  );

  test('with bytes that are not UTF-8 is read, and the scenario says so', async () => {
    const bytes = [...new TextEncoder().encode(`${map}DMI: `), 0xe4, 0x63, 0x0a];
    const file = write('a.log', Uint8Array.from(bytes));
    const { status, out } = await sme(['scenario', 'from-dmesg', file]);
    expect(status).toBe(0);
    expect(out).toContain('not UTF-8');
  });
});

describe('a number on the command line is written in digits', () => {
  test.each([
    ['run', '--stage'],
    ['diff', '--stage', '1', '--stage'],
    ['effects'],
    ['patches'],
    ['findings', '--patch'],
    ['matrix', 'bios-minimal', '--jobs'],
  ])('%s %s', async (...words) => {
    for (const text of ['', ' 7', '1e1', '0x5', '1.0', '+1', '9'.repeat(400), 'NaN']) {
      const { status, out } = await sme([...words, text]);
      expect([text, status, out]).toEqual([text, 2, '']);
    }
  });

  test('and an offset beyond the address space is refused', async () => {
    for (const place of ['_text+99999999999999999999', '_text[99999999999999999999]', '0x1-99']) {
      const words = ['inspect', '--at', 'loader', '--mem', `${place}:16`];
      const { status, err } = await sme(words);
      expect([place, status]).toEqual([place, 2]);
      expect(err).toMatch(/E_/);
    }
  });
});

test('an initrd that unpacks to more than the RAM ends as in the kernel', async () => {
  const field = (value: number): string => value.toString(16).padStart(8, '0');
  const header = (name: string, size: number): Buffer => {
    const fields = [1, 0o100644, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length + 1, 0];
    const text = `070701${fields.map(field).join('')}${name}\0`;
    return Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4, '\0'), 'latin1');
  };
  const body = Buffer.alloc(96 * 2 ** 20);
  const archive = Buffer.concat([header('big', body.length), body, header('TRAILER!!!', 0)]);
  const file = write('bomb.gz', gzipSync(archive));
  const { out } = await sme([
    'run',
    'bios-minimal',
    '--set',
    'machine.ram=64MiB',
    '--initrd',
    file,
  ]);
  expect(out).toContain('panic: in unpack_to_rootfs: Out of memory');
}, 60_000);
