/** Options that change the memory map, its reservations and its mappings. */
import { describe, expect, test } from '@jest/globals';
import { E820 } from '../../../src/linux/arch/x86/include/asm/e820.js';
import { MSR_IA32_CR_PAT } from '../../../src/kernel/constants.js';
import { builtInInitrd } from '../../../src/firmware/initrd.js';
import { alignUp } from '../../../src/machine/address.js';
import type { Boot } from '../../../src/sequencer/boot.js';
import { firstOf } from '../../cases.js';
import { intact, patched } from '../../helpers.js';
import { eventsOf, ON, onlyIn, printedBy, upTo, withLine } from './option-boots.js';

const MIB = 2 ** 20;
const RAM = ['machine.ram="256MiB"'];

const parsed = (words: string): Boot =>
  upTo('parse_setup_data', withLine(words, 'bios-minimal', RAM));
const ramOf = ({ kernel }: Boot): number =>
  kernel.state.e820
    .filter(({ type }) => type === E820.RAM)
    .reduce((sum, { size }) => sum + Number(size), 0);
const highest = ({ kernel }: Boot): number =>
  Math.max(
    ...kernel.state.e820
      .filter(({ type }) => type === E820.RAM)
      .map(({ addr, size }) => Number(addr + size)),
  );

describe('mem=', () => {
  test('removes the RAM above its value, and prints the user-defined map', () => {
    const [without, b] = [parsed(''), parsed('mem=128M')];
    expect(highest(without)).toBeGreaterThan(128 * MIB);
    expect(highest(b)).toBe(128 * MIB);
    const lines = onlyIn(b, without);
    expect(lines[0]).toBe('e820: remove [mem 0x08000000-0xfffffffffffffffe] usable');
    expect(lines[1]).toBe('e820: user-defined physical RAM map:');
    expect(lines.slice(2).every((line) => line.startsWith('user: [mem '))).toBe(true);
  });
  test('with an invalid value prints an error and leaves the map unchanged', () => {
    for (const words of ['mem', 'mem=x', 'mem=0', 'mem=nopentium']) {
      const b = parsed(words);
      expect([words, ramOf(b)]).toEqual([words, ramOf(parsed(''))]);
      expect(printedBy(b)).toContain("Malformed early option 'mem'");
    }
    expect(printedBy(parsed('mem=nopentium'))).toContain(
      'mem=nopentium ignored! (only supported on x86_32)',
    );
  });
  test('excludes the RAM above its value from the direct map and the page allocator', () => {
    const without = upTo('mm_init', withLine('', 'bios-minimal', RAM));
    const b = upTo('mm_init', withLine('mem=128M', 'bios-minimal', RAM));
    expect(without.kernel.state.maxPfnMapped).toBe((256 * MIB) / 4096);
    expect(b.kernel.state.maxPfnMapped).toBe((128 * MIB) / 4096);
    const managed = (x: Boot): number =>
      x.kernel.state.pages.zones.reduce((sum, zone) => sum + zone.managed, 0);
    expect(managed(without) - managed(b)).toBeGreaterThan((100 * MIB) / 4096);
  });

  test.each([
    [0, ''],
    [18, ON],
  ])('below the RAM disk’s address relocates the RAM disk (stage %i)', (stage, on) => {
    const at = ['loader.initrdAt="0xf000000"'];
    const settings = [...RAM, ...at];
    const trace = withLine(`${on} mem=128M`, 'bios-minimal', settings, { stage }).run();
    const lines = eventsOf(trace, 'reserve_initrd', 'console').map(({ console: text }) => text);
    const size = builtInInitrd().length;
    const to = 128 * MIB - alignUp(size, 4096);
    const range = (base: number): string => {
      const digits = (at: number): string => `0x${at.toString(16).padStart(8, '0')}`;
      return `[mem ${digits(base)}-${digits(base + size - 1)}]`;
    };
    expect(lines).toEqual([
      expect.stringMatching(/^RAMDISK: \[mem 0xf000000-/),
      `Allocated new RAMDISK: [mem 0x${to.toString(16)}-0x${(to + size - 1).toString(16)}]`,
      `Move RAMDISK from ${range(0xf00_0000)} to ${range(to)}`,
    ]);
    expect(intact(trace, 'initrd')).toBe(true);
    expect(trace.outcome.kind).toBe('booted');
  });
});

describe('memmap=', () => {
  const typeAt = ({ kernel }: Boot, address: number): number | undefined =>
    kernel.state.e820.find(
      ({ addr, size }) => Number(addr) <= address && address < Number(addr + size),
    )?.type;

  test.each([
    ['@', E820.RAM],
    ['#', E820.ACPI],
    ['$', E820.RESERVED],
    ['!', E820.PRAM],
  ])('1M%s512M adds a range of type %i', (sign, type) => {
    const b = parsed(`memmap=1M${sign}512M`);
    expect(typeAt(parsed(''), 512 * MIB)).toBeUndefined();
    expect(typeAt(b, 512 * MIB)).toBe(type);
    expect(typeAt(b, 513 * MIB)).toBeUndefined();
  });
  test('over RAM: the higher e820 type wins', () => {
    expect(typeAt(parsed('memmap=1M$64M'), 64 * MIB)).toBe(E820.RESERVED);
  });
  test('exactmap empties the map; later ranges, after commas or as separate options, fill it', () => {
    for (const words of [
      'memmap=exactmap,640K@0,63M@1M',
      'memmap=exactmap memmap=640K@0 memmap=63M@1M',
    ]) {
      const b = parsed(words);
      expect([
        words,
        b.kernel.state.e820.map(({ addr, size }) => [Number(addr), Number(size)]),
      ]).toEqual([
        words,
        [
          [0, 640 * 1024],
          [MIB, 63 * MIB],
        ],
      ]);
    }
  });
  test('a map with fewer than two ranges is a panic', () => {
    const b = parsed('memmap=exactmap,63M@1M');
    expect(b.outcome).toMatchObject({ kind: 'panic', message: 'Invalid user supplied memory map' });
  });
  test('a size alone acts as mem=; a value without a number is ignored', () => {
    expect(highest(parsed('memmap=128M'))).toBe(128 * MIB);
    expect(highest(parsed('memmap=x'))).toBe(highest(parsed('')));
  });
});

test('reservelow= sets the size of the reserved lowest memory, from a page to 640 KiB', () => {
  const low = (words: string): number => {
    const { reserved } = upTo('memblock_x86_fill', withLine(words, 'bios-minimal', RAM)).kernel
      .state.memblock;
    return reserved.find(({ base }) => base === 0)?.size ?? 0;
  };
  expect([low(''), low('reservelow=128k'), low('reservelow=1')]).toEqual([65536, 131072, 4096]);
  expect(low('reservelow')).toBe(65536);
});

describe('crashkernel=', () => {
  const reserved = (words: string, ram = '1GiB'): [number, number][] => {
    const b = withLine(words, 'bios-minimal', [`machine.ram="${ram}"`]);
    return upTo('acpi_boot_table_init', b)
      .kernel.state.memblock.reserved.filter(({ owner }) => owner === 'reserve_crashkernel')
      .map(({ base, size }) => [base / MIB, size / MIB]);
  };
  const printed = (words: string): string[] => {
    const settings = ['machine.ram="1GiB"'];
    const without = upTo('acpi_boot_table_init', withLine('', 'bios-minimal', settings));
    return onlyIn(upTo('acpi_boot_table_init', withLine(words, 'bios-minimal', settings)), without);
  };
  test('reserves a range below 896 MiB, aligned to 16 MiB', () => {
    expect(reserved('')).toEqual([]);
    expect(reserved('crashkernel=64M')).toEqual([[832, 64]]);
    expect(printed('crashkernel=64M')).toEqual([
      'Reserving 64MB of memory at 832MB for crashkernel (System RAM: 1023MB)',
    ]);
  });
  test('reserves at a given address, and fails if that is in use', () => {
    expect(reserved('crashkernel=64M@512M')).toEqual([[512, 64]]);
    expect(printed('crashkernel=64M@16M')).toEqual([
      'crashkernel reservation failed - memory is in use.',
    ]);
    expect(printed('crashkernel=4G')).toEqual([
      'crashkernel reservation failed - No suitable area found.',
    ]);
  });
  test('selects the size by the amount of memory', () => {
    expect(reserved('crashkernel=512M-2G:64M,2G-:128M')).toEqual([[832, 64]]);
    expect(reserved('crashkernel=512M-2G:64M,2G-:128M@256M')).toEqual([[256, 64]]);
    expect(reserved('crashkernel=2G-:128M')).toEqual([]);
  });
  test('given several times, the last one wins', () => {
    expect(reserved('crashkernel=64M crashkernel=128M')).toEqual([[768, 128]]);
  });
  test('high: reserves above 4 GiB, and low memory in addition', () => {
    expect(reserved('crashkernel=64M,high', '6GiB')).toEqual([
      [2816, 256],
      [7104, 64],
    ]);
    expect(reserved('crashkernel=64M,high crashkernel=16M,low', '6GiB')).toEqual([
      [3056, 16],
      [7104, 64],
    ]);
    expect(reserved('crashkernel=64M,high crashkernel=0,low', '6GiB')).toEqual([[7104, 64]]);
    // Without memory above 4 GiB the range is below it.
    expect(reserved('crashkernel=64M,high')).toEqual([[944, 64]]);
  });
  test.each(
    firstOf(3, [
      ['crashkernel=x', 'crashkernel: memory value expected'],
      ['crashkernel=64Mx', 'crashkernel: unrecognized char: x'],
      ['crashkernel=1G:64M', "crashkernel: '-' expected"],
      ['crashkernel=1G-512M:64M', 'crashkernel: end <= start'],
      ['crashkernel=0-x:64M', 'crashkernel: Memory value expected'],
      ['crashkernel=0-:8G', 'crashkernel: invalid size'],
      ['crashkernel=0-:64M@x', "Memory value expected after '@'"],
    ]),
  )('%s is rejected with its message', (words, line) => {
    expect(printed(words)).toEqual([line]);
  });
});

describe('options for mappings', () => {
  const sizes = (words: string, ram = '3GiB'): Set<unknown> => {
    const trace = withLine(words, 'bios-minimal', [`machine.ram="${ram}"`]).run();
    const maps = eventsOf(trace, 'init_mem_mapping', 'map');
    return new Set(maps.map(({ size }) => size));
  };
  test('nogbpages: the direct map has pages of 2 MiB at most', () => {
    expect([...sizes('')]).toContain('1G');
    expect([...sizes('nogbpages')]).not.toContain('1G');
    expect([...sizes('nogbpages')]).toContain('2M');
  });
  test('gbpages=off is gbpages: 4.6 ignores the value', () => {
    expect([...sizes('gbpages=off')]).toContain('1G');
    expect([...sizes('nogbpages gbpages=off')]).toContain('1G');
  });

  test('noexec=off: no entry has NX', () => {
    const nx = (words: string): number =>
      eventsOf(withLine(words).run(), 'init_mem_mapping', 'map').filter(
        // The early tables' flags are set in head_64.S, which checks only the CPU.
        (event) => event['in'] !== 'early_make_pgtable' && /NX/.test(String(event['flags'])),
      ).length;
    expect(nx('')).toBeGreaterThan(0);
    expect(nx('noexec=off')).toBe(0);
    expect(nx('noexec=off noexec=on')).toBe(nx(''));
    expect(printedBy(upTo('parse_setup_data', withLine('noexec=off')))).toContain(
      'NX (Execute Disable) protection: disabled by kernel command line option',
    );
  });

  test.each([
    [0, ''],
    [18, ON],
  ])('nopat: every CPU has the firmware’s value of the PAT MSR (stage %i)', (stage, on) => {
    const pats = (words: string): (bigint | object)[] => {
      const b = withLine(`${on} ${words}`, 'bios-minimal', [...RAM, 'machine.cpus=2'], { stage });
      b.run();
      return b.machine.cpus.map((cpu) => cpu.rdmsr(MSR_IA32_CR_PAT));
    };
    const reset = 0x0007_0406_0007_0406n;
    expect(pats('nopat')).toEqual([reset, reset]);
    expect(pats('')).not.toEqual([reset, reset]);
  });
  test('nopat: the cache modes are those of the register', () => {
    const modes = (words: string): Uint8Array => {
      const b = upTo('mtrr_bp_init', withLine(words));
      return b.kernel.readBytes(b.kernel.sym('__pte2cachemode_tbl'), 8);
    };
    // Slot 1 is write-combining with PAT, write-through without.
    expect(modes('')[1]).toBe(1);
    expect(modes('nopat')[1]).toBe(4);
    expect(modes('nopat').slice(0, 4)).toEqual(modes('nopat').slice(4));
  });
  test('noclflush: set_memory_dec() of patch 10 executes WBINVD instead of CLFLUSH', () => {
    const flushed = (words: string): unknown[] => {
      const b = upTo('mm_init', withLine(`${ON} ${words}`, 'bios-minimal', RAM, { stage: 18 }));
      const page = b.kernel.fn.get_zeroed_page(0);
      if (page === 0) throw new Error('no memory');
      b.recorder.step('test');
      patched(b.kernel).fn.set_memory_dec(page, 1);
      const events = b.recorder.snapshot().steps.at(-1)?.events ?? [];
      return events.flatMap((event) => ('cache-flush' in event ? [event['cache-flush']] : []));
    };
    expect(flushed('')).toEqual(['clflush']);
    expect(flushed('noclflush')).toEqual(['wbinvd']);
  });
});
