/** Which program runs first, and the kernel's messages if none does. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { Trace } from '../../../../src/trace/trace.js';
import { exhaustiveTest, firstOf } from '../../../cases.js';
import { boot, intact, scenario } from '../../../helpers.js';
import { joined, newc, zeros, type Entry } from '../newc.js';

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(`test/fixtures/ramdisks/${name}`));

interface Run {
  readonly trace: Trace;
  /** Console lines and, in parentheses, results of read events, from populate_rootfs on. */
  readonly printed: string[];
  readonly end: string;
}

/** Boots a kernel, by default the base kernel, with an initrd. */
function run(initrd: Uint8Array, cmdline = '', ram = '128MiB', stage = 0): Run {
  const settings = [`machine.ram=${ram}`, `cmdline=${JSON.stringify(cmdline)}`];
  const trace = boot({ stage, initrd, scenario: scenario('bios-minimal', ...settings) }).run();
  const steps = trace.steps.slice(
    trace.steps.findIndex(({ label }) => label === 'populate_rootfs'),
  );
  const printed = steps.flatMap(({ events }) =>
    events.flatMap((event) =>
      event.console === undefined
        ? event.result === undefined
          ? []
          : [`(${String(event.read)}: ${String(event.result)})`]
        : [String(event.console)],
    ),
  );
  const { kind, message } = trace.outcome;
  return { trace, printed, end: message === undefined ? kind : `${kind}: ${message}` };
}

const ELF = { machine: 62, type: 2, phentsize: 56, phnum: 1 };
/** A program of one segment, with a dynamic linker if it names one. */
function elf(changed: Partial<typeof ELF> = {}, interpreter?: string): Uint8Array {
  const { machine, type, phentsize, phnum } = { ...ELF, ...changed };
  const bytes = Buffer.alloc(300);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(type, 16);
  bytes.writeUInt16LE(machine, 18);
  bytes.writeUInt32LE(64, 32);
  bytes.writeUInt16LE(phentsize, 54);
  bytes.writeUInt16LE(phnum, 56);
  bytes.writeUInt32LE(interpreter === undefined ? 1 : 3, 64);
  bytes.writeUInt32LE(200, 64 + 8);
  bytes.writeUInt32LE((interpreter?.length ?? 0) + 1, 64 + 32);
  bytes.write(interpreter ?? '', 200);
  return new Uint8Array(bytes);
}
const program = (name: string, body: string | Uint8Array = elf(), mode = 0o100755): Entry => ({
  name,
  mode,
  body,
});
const dir = (name: string): Entry => ({ name, mode: 0o040755 });
const link = (name: string, body: string): Entry => ({ name, mode: 0o120777, body });
const NO_ROOT = 'panic: VFS: Unable to mount root fs on unknown-block(0,0)';
const NO_INIT =
  'panic: No working init found.  Try passing init= option to kernel. See Linux Documentation/init.txt for guidance.';

describe('a boot with an initrd', () => {
  test('runs /init if it is a symbolic link', () => {
    const { end, printed, trace } = run(fixture('initrd-init-is-a-symlink.cpio'));
    expect(end).toBe('booted');
    expect(printed).toContain('Run /init as init process');
    expect(intact(trace, 'user file page')).toBe(true);
  });

  test('runs the program that rdinit= names', () => {
    const initrd = fixture('initrd-rdinit.cpio');
    const { end, printed, trace } = run(initrd, 'mem_encrypt=on rdinit=/sbin/init', '128MiB', 18);
    expect(end).toBe('booted');
    expect(printed).toContain('Run /sbin/init as init process');
    // It has no x bit, but its bytes are recorded.
    expect(intact(trace, 'user file page')).toBe(true);
    expect(run(initrd).end).toBe(NO_ROOT);
  });

  test('unpacks a file of 4 MiB and a byte', () => {
    const big = { name: 'big', body: new Uint8Array(4 * 2 ** 20 + 1).fill(0x61) };
    const { end, printed, trace } = run(newc(program('init'), big));
    expect(end).toBe('booted');
    expect(printed.some((line) => line.includes('failed'))).toBe(false);
    expect(intact(trace, 'initrd')).toBe(true);
  });

  test.each(['xz', 'lz4', 'lzo', 'bz2', 'lzma', 'gz'])('unpacks an initrd in .%s', (ext) => {
    expect(run(fixture(`files.cpio.${ext}`)).end).toBe('booted');
  });

  test('reports zstd, which 4.6 does not support', () => {
    const { end, printed } = run(fixture('files.cpio.zst'));
    expect(end).toBe(NO_ROOT);
    expect(printed).toContain('Initramfs unpacking failed: junk in compressed archive');
    expect(printed.find((line) => line.startsWith('(initrd'))).toMatch(
      /zstd, which Linux supports from 5\.9/,
    );
  });
});

describe('an initrd', () => {
  test('that is empty is not unpacked', () => {
    const { printed, end } = run(zeros(0), 'root=/dev/sda1');
    expect(printed).not.toContain('Unpacking initramfs...');
    expect(printed).toContain(
      'VFS: Cannot open root device "sda1" or unknown-block(0,0): error -6',
    );
    expect(end).toBe(NO_ROOT);
  });

  test('with microcode before a compressed archive boots', () => {
    const early = newc(dir('kernel'), { name: 'kernel/x86', body: 'microcode' });
    const main = new Uint8Array(gzipSync(newc(program('init'))));
    expect(run(joined(early, zeros(512), main)).end).toBe('booted');
  });

  test('with an unpacking error after /init boots', () => {
    const { printed, end } = run(joined(newc(program('init')), Uint8Array.of(1, 2, 3, 4)));
    expect(printed).toContain('Initramfs unpacking failed: junk in compressed archive');
    expect(end).toBe('booted');
  });

  test.each([
    ['ext2', 1024 + 0x38, [0x53, 0xef]],
    ['squashfs', 0, [0x68, 0x73, 0x71, 0x73]],
    ['cramfs', 0, [0x45, 0x3d, 0xcd, 0x28]],
  ])('that is a disk image is reported as %s', (name, at, magic) => {
    const image = new Uint8Array(8192).fill(1);
    image.set(magic, at);
    const { printed, end } = run(image);
    expect(printed.find((line) => line.startsWith('(initrd'))).toMatch(
      new RegExp(`${name}.*/initrd\\.image`),
    );
    expect(end).toBe(NO_ROOT);
  });

  exhaustiveTest(
    'larger than half of the memory is truncated in a tmpfs, and panics in a ramfs',
    () => {
      const bomb = new Uint8Array(gzipSync(newc(program('init'), { name: 'x', body: zeros(6e7) })));
      const { printed, end } = run(bomb);
      expect(printed).toContain('Initramfs unpacking failed: write error');
      expect(end).toBe('booted');
      // With root= it is a ramfs, which has no limit.
      const all = new Uint8Array(gzipSync(newc(program('init'), { name: 'x', body: zeros(2e8) })));
      expect(run(all, 'root=/dev/sda1').end).toBe(
        'panic: Out of memory and no killable processes...',
      );
    },
  );
});

describe('kernel_init()', () => {
  test.each<[string, string, Entry[], string]>(
    firstOf(2, [
      ['init=, if /init cannot run', 'init=/x', [program('init', 'text'), program('x')], '/x'],
      [
        'through a chain of links and directories',
        '',
        [dir('a'), dir('a/b'), link('a/b/c', '../d'), program('a/d'), link('init', './a/b/c')],
        '/init',
      ],
      [
        'through an absolute link',
        '',
        [dir('bin'), program('bin/x'), link('init', '/bin/x')],
        '/init',
      ],
      [
        'through a link to a directory',
        '',
        [dir('usr'), program('usr/x'), link('bin', 'usr'), link('init', 'bin/x')],
        '/init',
      ],
      ['rdinit= in quotes, the last one counts', 'rdinit=/no rdinit="/x"', [program('x')], '/x'],
      ['/init', '', [program('init')], '/init'],
      [
        '/sbin/init after /init',
        '',
        [program('init', 'text'), dir('sbin'), program('sbin/init')],
        '/sbin/init',
      ],
      ['/bin/sh last', '', [program('init', 'text'), dir('bin'), program('bin/sh')], '/bin/sh'],
      [
        'a script with its interpreter',
        '',
        [dir('bin'), program('bin/sh'), program('init', '#! /bin/sh -e\n')],
        '/init',
      ],
      [
        'a program with its dynamic linker',
        '',
        [dir('lib'), program('lib/ld.so'), program('init', elf({}, '/lib/ld.so'))],
        '/init',
      ],
      ['a program of 32 bits', '', [program('init', elf32())], '/init'],
    ]),
  )('runs %s', (_title, cmdline, entries, path) => {
    const { printed, end } = run(newc(...entries), cmdline);
    expect(printed).toContain(`Run ${path} as init process`);
    expect(printed.some((line) => line.includes('model continues'))).toBe(false);
    expect(end).toBe('booted');
  });

  test.each<[string, string, Entry[], string]>(
    firstOf(2, [
      ['links form a loop', '', [link('init', 'two'), link('two', 'init')], NO_ROOT],
      [
        'init= names a missing file',
        'init=/none',
        [program('init', 'text')],
        'panic: Requested init /none failed (error -2).',
      ],
      ['/init is a dangling link', '', [link('init', 'nowhere')], NO_ROOT],
      ['rdinit= names a missing file', 'rdinit=/none', [program('init')], NO_ROOT],
      ['rdinit= is empty', 'rdinit=', [program('init')], NO_ROOT],
      ['/init is a text file', '', [program('init', 'just text')], NO_INIT],
      ['/init is a directory', '', [dir('init')], NO_INIT],
      [
        '/init is a program of another machine',
        '',
        [program('init', elf({ machine: 183 }))],
        NO_INIT,
      ],
      ['/init is an object file', '', [program('init', elf({ type: 1 }))], NO_INIT],
      [
        '/init has program headers of another size',
        '',
        [program('init', elf({ phentsize: 32 }))],
        NO_INIT,
      ],
      ['a script is its own interpreter', '', [program('init', '#!/init\n')], NO_INIT],
      [
        'the dynamic linker is a text file',
        '',
        [program('ld', 'text'), program('init', elf({}, '/ld'))],
        NO_INIT,
      ],
    ]),
  )('panics if %s', (_title, cmdline, entries, end) => {
    expect(run(newc(...entries), cmdline).end).toBe(end);
  });

  test.each<[string, Entry[], number]>([
    ['text', [program('init', 'text')], -8],
    ['a directory', [dir('init')], -13],
    ['a script that is its own interpreter', [program('init', '#!/init\n')], -40],
    [
      'a program whose dynamic linker is a text file',
      [program('ld', 'text'), program('init', elf({}, '/ld'))],
      -80,
    ],
  ])('prints the error of %s', (_title, entries, error) => {
    expect(run(newc(...entries)).printed).toContain(
      `Failed to execute /init (error ${String(error)})`,
    );
  });

  test.each<[string, Entry[], number, RegExp]>([
    ['an x bit', [program('init', elf(), 0o100644)], -13, /its mode is 0644/],
    ['a shell', [program('init', '#!/bin/sh\n')], -2, /\/bin\/sh does not exist/],
    [
      'a dynamic linker',
      [program('init', elf({}, '/lib/ld.so'))],
      -2,
      /\/lib\/ld\.so does not exist/,
    ],
  ])(
    'continues if the archive lacks %s, and reports that Linux panics',
    (_t, entries, error, why) => {
      const { printed, end } = run(newc(...entries));
      expect(printed).toContain(`Failed to execute /init (error ${String(error)})`);
      expect(printed.find((line) => line.startsWith('(/init'))).toMatch(why);
      expect(printed).toContain('Run /init as init process');
      expect(end).toBe('booted');
    },
  );

  test('prefers a complete program to an incomplete one', () => {
    const shell = program('init', '#!/bin/bash\n');
    const { printed } = run(newc(shell, dir('bin'), program('bin/sh')));
    expect(printed).toContain('Run /bin/sh as init process');
  });

  exhaustiveTest('warns if the archive replaces /dev/console', () => {
    const { printed } = run(
      newc(program('init'), { name: 'dev/console', mode: 0o120777, body: 'x' }),
    );
    expect(printed).toContain('Warning: unable to open an initial console.');
  });
});

/** A program of one segment for i386 (Elf32_Ehdr). */
function elf32(): Uint8Array {
  const bytes = Buffer.alloc(200);
  bytes.write('\x7fELF\x01\x01\x01', 'latin1');
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(3, 18);
  bytes.writeUInt32LE(52, 28);
  bytes.writeUInt16LE(32, 42);
  bytes.writeUInt16LE(1, 44);
  bytes.writeUInt32LE(1, 52);
  return new Uint8Array(bytes);
}
