/** Debian's gdb attaches to an executed boot of a small ELF file, breaks, steps, reads and writes. */
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { at, BANNER_TEXT, guest, guestElf, SECRET } from '../gdb/guest.js';
import { gdb } from './gdb.js';

const directory = mkdtempSync(join(tmpdir(), 'sme-boot-gdb-'));
const elf = join(directory, 'guest.elf');
writeFileSync(elf, guestElf());
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const hex = (address: number): string => `0x${address.toString(16)}`;
/** gdb's symbols at the physical addresses, under which the first instructions run. */
const SYMBOLS = `symbol-file ${elf} -o 0x80000000`;

test('it knows the registers, breaks at symbols, steps, and reads what is encrypted', async () => {
  const boot = guest();
  const { output, status, end } = await gdb(boot, [
    SYMBOLS,
    'printf "entry %#lx\\n", $rip',
    'break *&store_value',
    'continue',
    'x/2i $rip',
    'stepi',
    'printf "rbx %#lx\\n", $rbx',
    'stepi',
    `x/gx ${hex(SECRET)}`,
    `monitor cbit ${hex(SECRET)}`,
    'x/s &linux_banner',
    'tbreak *&count',
    'continue',
    'bt 1',
    'info registers rip eflags cs cr3 gs_base mxcsr',
    'print $xmm0.v4_int32',
    'print $ftag',
    'print $fiseg',
    'detach',
  ]);
  const lines = output.split('\n');
  const found = (pattern: RegExp): string | undefined => lines.find((line) => pattern.test(line));
  expect({ status, end }).toEqual({ status: 0, end: 'detached' });
  expect(lines).toContain(`entry ${hex(at('_text'))}`);
  expect(found(/^Breakpoint 1, /)).toContain('store_value ()');
  expect(found(/^=> .*movabs \$0x1122334455667788,%rbx/)).toBeDefined();
  expect(lines).toContain('rbx 0x1122334455667788');
  expect(found(/^0x1800000:/)).toMatch(/\t0x1122334455667788$/);
  expect(found(/^PMD .*C=1 .*leaf/)).toBeDefined();
  expect(lines).toContain("read under the host's key (C=1)");
  expect(output).toContain(BANNER_TEXT);
  expect(found(/^Temporary breakpoint 2, /)).toContain('count ()');
  expect(found(/^rip /)).toContain(`${hex(at('count'))} <count>`);
  expect(found(/^eflags /)).toMatch(/\[.*\]$/);
  expect(found(/^cs /)).toMatch(/0x10\s+16/);
  expect(found(/^cr3 /)).toBeDefined();
  expect(found(/^mxcsr /)).toMatch(/0x1f80/);
  expect(lines).toContain('$1 = {0, 0, 0, 0}');
  expect(lines).toContain('$2 = 65535');
  expect(lines).toContain('$3 = <unavailable>');
  expect(boot.uart.text).toBe('k');
}, 120_000);

describe('the end', () => {
  test('a halt is told by name', async () => {
    const { output, end } = await gdb(guest(), ['continue', 'continue']);
    expect(output).toContain(`halted: HLT before ${hex(at('count'))} count`);
    expect(output).toContain('received signal SIGSTOP');
    // gdb detaches when it ends.
    expect(end).toBe('detached');
  }, 120_000);

  test('what is not modelled is told by name; gdb can go on elsewhere', async () => {
    const { output, end } = await gdb(guest(), [
      SYMBOLS,
      'set $rip = &unknown',
      'continue',
      'set $rip = &finish',
      'continue',
      'kill',
    ]);
    expect(output).toContain('not modelled: FSIN, fsin (d9fe)');
    expect(output).toContain('received signal SIGILL');
    expect(output).toContain('halted: HLT');
    expect(end).toBe('killed');
  }, 120_000);
});

test('it writes memory and registers', async () => {
  const { output } = await gdb(guest(), [
    SYMBOLS,
    `set {int} ${hex(SECRET)} = 0x12345678`,
    `x/wx ${hex(SECRET)}`,
    'set $rcx = 41',
    'set $xmm3.v2_int64[1] = -2',
    'print $xmm3.v2_int64',
    'set $cr3 = 0',
    'hbreak *&count',
    'continue',
    'stepi',
    'print $rcx',
  ]);
  expect(output).toMatch(/^0x1800000:\t0x12345678$/m);
  expect(output).toMatch(/\{0, -2\}/);
  expect(output).toMatch(/Could not write register "cr3"/);
  expect(output).toMatch(/= 42$/m);
}, 120_000);
