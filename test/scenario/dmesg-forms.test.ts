/** The forms of posted kernel logs: encodings, quoting, log viewers. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseDmesg, type DmesgFacts } from '../../src/scenario/dmesg.js';
import { decodeLog } from '../../src/scenario/log-text.js';

const raw = (name: string): string => readFileSync(`test/fixtures/dmesg/${name}.txt`, 'utf8');
const LOG = raw('dell-r6515').replace(/^> /gm, '');
const WANTED = parseDmesg(LOG);
const read = (bytes: Uint8Array): DmesgFacts => parseDmesg(decodeLog(bytes).text);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The facts without line numbers. */
const bare = ({ boot: _boot, undone: _undone, at: _at, ...facts }: DmesgFacts): object => facts;

function utf16(text: string, little: boolean): Uint8Array {
  const out = new Uint8Array(2 * text.length);
  const view = new DataView(out.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), little);
  return out;
}

/** Soft-wraps as mail programs do: at blanks, and after hyphens. */
const mailed = (text: string, width: number): string =>
  text
    .split('\n')
    .flatMap((line) => {
      const rows: string[] = [];
      let rest = line;
      while (rest.length > width) {
        const blank = rest.lastIndexOf(' ', width);
        const at = blank > 16 ? blank : rest.indexOf(' ', width);
        if (at < 0) break;
        rows.push(rest.slice(0, at));
        rest = rest.slice(at).trimStart();
      }
      return [...rows, rest];
    })
    .join('\n');
/** Wraps as a terminal of so many columns does. */
const cut = (text: string, width: number): string =>
  text.replace(new RegExp(`(.{${String(width)}})(?=.)`, 'g'), '$1\n');
const quoted = (text: string): string =>
  text
    .replace(/=/g, '=3D')
    .split('\n')
    .map((line) => line.replace(/(.{60})(?=.)/g, '$1=\n'))
    .join('\n');
/** A mail with a log as an attachment. */
const mime = (text: string): string => {
  const coded = btoa(text).replace(/.{76}/g, '$&\n');
  return `From: x\n\n--1\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n${coded}\n--1--\n`;
};
const entries = (text: string): { pri: number; time: number; msg: string }[] =>
  text.split('\n').map((line) => ({ pri: 6, time: 0, msg: line.replace(/^\[.*?\] /, '') }));
const stamped = (stamp: string, text: string): string => text.replace(/^(?:\[[^\]]*\] )?/gm, stamp);
const ESC = String.fromCharCode(27);

test.each<[string, Uint8Array]>([
  ['unchanged', bytes(LOG)],
  ['with CR LF', bytes(LOG.replace(/\n/g, '\r\n'))],
  ['with CR CR LF, as serial consoles leave it', bytes(LOG.replace(/\n/g, '\r\r\n'))],
  ['with a byte order mark', bytes(`\ufeff${LOG}`)],
  ['in UTF-16, little endian with its mark', utf16(`\ufeff${LOG}`, true)],
  ['in UTF-16, big endian with its mark', utf16(`\ufeff${LOG}`, false)],
  ['in UTF-16 without a mark', utf16(LOG, true)],
  ['quoted', bytes(LOG.replace(/^/gm, '> > '))],
  ['in quoted-printable', bytes(quoted(LOG))],
  ['wrapped by a mail program', bytes(mailed(LOG, 66))],
  ['wrapped and quoted', bytes(mailed(LOG, 66).replace(/^/gm, '> '))],
  ['cut by a terminal of 80 columns', bytes(cut(LOG, 80))],
  ['as dmesg -J prints it', bytes(JSON.stringify({ dmesg: entries(LOG) }, null, 3))],
  [
    'as journalctl -o json prints it',
    bytes(
      entries(LOG)
        .map(({ msg }) => JSON.stringify({ PRIORITY: '6', MESSAGE: msg }))
        .join('\n'),
    ),
  ],
  [
    'as journalctl -o json-pretty prints it',
    bytes(
      entries(LOG)
        .map(({ msg }) => JSON.stringify({ PRIORITY: '6', MESSAGE: msg, _HOSTNAME: 'x' }, null, 8))
        .join('\n'),
    ),
  ],
  [
    'as dmesg -J prints it, cut before its end',
    bytes(JSON.stringify({ dmesg: entries(LOG) }, null, 3).slice(0, -12)),
  ],
  ["with a web page's blanks", bytes(LOG.replace(/ (?!=\s)/g, '\u00a0'))],
  [
    'whose types are messages of their own',
    bytes(LOG.replace(/^(.*BIOS-e820: .*\]) (.*)$/gm, '$1 \n[    0.000000] $2')),
  ],
  ['with colour codes', bytes(LOG.replace(/\] /g, `] ${ESC}[33m`).replace(/$/gm, `${ESC}[0m`))],
  ['with colour codes as cat -v shows them', bytes(LOG.replace(/\] /g, '] ^[[33m'))],
  ['with levels', bytes(stamped('<6>[    0.000000] ', LOG))],
  ['with levels in words', bytes(stamped('kern  :info  : [    0.000000] ', LOG))],
  ['with levels and dates', bytes(stamped('kern  :info  : [Fri Feb 24 09:33:02 2023] ', LOG))],
  ['with CPU numbers', bytes(stamped('[    0.000000][    T0] ', LOG))],
  ['from syslog', bytes(stamped('Apr 11 09:26:26 host kernel: [    0.000000] ', LOG))],
  ['from a journal', bytes(stamped('2023-02-24T09:33:02.000000+0100 host kernel: ', LOG))],
  ['without stamps', bytes(stamped('', LOG))],
  ['after a login prompt', bytes(LOG.replace(/^/m, 'host login: '))],
  ['printed twice by two consoles', bytes(LOG.replace(/^.*BIOS-e820.*$/gm, '$&\n$&'))],
  ['with CR alone', bytes(LOG.replace(/\n/g, '\r'))],
  ['in base64, as a part of a mail', bytes(mime(LOG))],
  ['in base64 that is truncated', bytes(mime(`${LOG}\n[    9.0] usb: x`).slice(0, -9))],
  ["with a web page's dashes", bytes(LOG.replace(/(0x[0-9a-f]{16})-(0x)/g, '$1\u2013$2'))],
  ['as the last column of CSV', bytes(LOG.replace(/^.*$/gm, '"2021-11-01","host","$&"'))],
  ['without line ends', bytes(LOG.replace(/\n(?=.*BIOS-e820)/g, ' '))],
])('a log is parsed to the same facts: %s', (_form, log) => {
  const facts = read(log);
  expect(facts.e820).toEqual(WANTED.e820);
  expect(bare({ ...facts, e820: [] })).toEqual(bare({ ...WANTED, e820: [] }));
});

test('conversions of a log are recorded', () => {
  expect(parseDmesg(raw('dmesg-colour')).undone).toEqual(['colour codes']);
  expect(parseDmesg(raw('wrapped-by-mailer')).undone).toEqual(['10 wrapped lines']);
  expect(parseDmesg(quoted(LOG)).undone).toEqual(['quoted-printable']);
  expect(decodeLog(utf16(`\ufeff${LOG}`, true)).undone).toEqual(['UTF-16LE text']);
  expect(parseDmesg(JSON.stringify({ dmesg: entries(LOG) })).undone).toEqual(['JSON']);
  expect(parseDmesg(LOG.replace(/\n/g, '\r')).undone).toEqual(['line ends of CR alone']);
  expect(parseDmesg(mime(LOG)).undone).toEqual(['base64 (lines are counted after decoding)']);
});

test('a JSON entry with several lines counts as one entry', () => {
  const log = JSON.stringify({ dmesg: [{ msg: 'x' }, { msg: stamped('', LOG) }] });
  const facts = parseDmesg(log);
  expect(facts.e820).toEqual(WANTED.e820);
  expect(facts.boot).toMatchObject({ unit: 'entry', last: 2 });
});

test.each([
  ['gzip', [0x1f, 0x8b, 8], /gzip.*zcat/],
  ['a journal', [...'LPKSHHRH'].map((c) => c.charCodeAt(0)), /journalctl/],
])('a file of %s is refused with its format', (_what, magic, message) => {
  expect(() => decodeLog(Uint8Array.from(magic))).toThrow(message);
});

describe('a log wrapped by a mail program', () => {
  const facts = parseDmesg(raw('wrapped-by-mailer'));

  test('has its eight ranges', () => {
    expect(facts.e820).toHaveLength(8);
    expect(facts.e820[5]).toEqual({ start: 0xa20_0000, end: 0xa20_efff, type: 'ACPI NVS' });
    expect(facts.e820[7]).toEqual({ start: 0xe9e2_0000, end: 0xeb33_efff, type: 'reserved' });
  });

  test('has its command line, joined without a blank after the hyphen', () => {
    expect(facts.commandLine).toBe(
      'BOOT_IMAGE=/boot/vmlinuz-6.9.0-rc3-next-20240411 root=UUID=00000000-0000-0000-0000-000000000000 ro clocksource=hpet amdgpu.noretry=0 amdgpu.mcbp=1 quiet',
    );
  });
});

test('prose after a short command line is not joined to it', () => {
  const facts = parseDmesg(`${LOG}\nThis machine hangs\nwhen it boots.`);
  expect(facts.commandLine).toBe(WANTED.commandLine);
});

describe('parsing time is proportional to length', () => {
  const line = 'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable';
  test.each([
    ['blanks after a line', `${line}${' '.repeat(2_000_000)}\n${line}`],
    ['a line of blanks', `${' '.repeat(2_000_000)}\n${line}`],
    ['brackets', `${'BIOS-e820: [mem '.repeat(200_000)}\n${line}`],
    ['beginnings of EFI lines', `${'efi: mem00: [\n'.repeat(100_000)}${line}`],
    ['beginnings of lines of the map', `${'BIOS-e820: [mem 0x0\n'.repeat(100_000)}${line}`],
    ['beginnings of escape sequences', `${`${ESC}]`.repeat(500_000)}\n${line}`],
    ['boots', `${'Linux version 5.0\n'.repeat(100_000)}${line}`],
    ['headers of base64', `${'Content-Transfer-Encoding: base64\n\n'.repeat(50_000)}${line}`],
    ['hexadecimal digits before dashes', `${'0a '.repeat(700_000)}\u2013\n${line}`],
    ['quotes', `${'"""'.repeat(700_000)}\n${line}`],
    ['ends of lines in quoted-printable', `${'=3D=\n'.repeat(300_000)}${line}`],
  ])('%s', (_what, text) => {
    // CPU time of this process: the machine may be busy. Quadratic time would be minutes.
    const start = process.cpuUsage();
    parseDmesg(text);
    expect(process.cpuUsage(start).user).toBeLessThan(5_000_000);
  });
});

test('control characters are removed from the facts', () => {
  const facts = parseDmesg(
    `DMI: a${ESC}[31mb\u0007c\u202ed\u009b31me\nCommand line: x${ESC}[2J y\u007f ${ESC}]0;title\u0007z`,
  );
  expect(facts.dmi).toBe('ab?c?d?31me');
  expect(facts.commandLine).toBe('x y? z');
});
