import { describe, expect, test } from '@jest/globals';
import { BUILT_IN_SIZE, buildBuiltInImage } from '../../../src/firmware/image/built-in.js';
import { BASE_VARIABLES } from '../../../src/linux/index.js';
import { link } from '../../../src/series/link.js';
import { exhaustiveTest } from '../../cases.js';
import { boot, intact, scenario } from '../../helpers.js';

const MIB = 2 ** 20;
const TAIL = 'loader.initrdAt=0x1f00000';
const build = (size?: number) =>
  buildBuiltInImage(link([]).baseFunctions, BASE_VARIABLES, () => '', size);
const at = (image: ReturnType<typeof build>, name: string): number =>
  image.symbols.get(name)?.address ?? NaN;

describe('the built-in image', () => {
  test.each([15 * MIB, 16 * MIB + 4096, 100 * MIB])(
    'has the requested size of %i bytes',
    (size) => {
      const image = build(size);
      expect(at(image, '_end') - at(image, '_text')).toBe(size);
      expect(image.segments[0]?.memsz).toBe(size);
      // All but .bss is as large as ever, and .brk is the last.
      expect(at(image, '__bss_stop') - at(image, '__bss_start')).toBe(
        1.5 * MIB + size - BUILT_IN_SIZE,
      );
      expect(at(image, '_end') - at(image, '__brk_base')).toBe(0.5 * MIB);
      expect(at(image, 'boot_params')).toBe(at(build(), 'boot_params'));
    },
  );

  test('has 16 MiB by default, and constant contents', () => {
    const [explicit, usual] = [build(BUILT_IN_SIZE), build()];
    expect(at(explicit, '_end') - at(explicit, '_text')).toBe(16 * MIB);
    for (const name of ['_end', '__brk_base', 'boot_params', 'early_dynamic_pgts']) {
      expect([name, at(explicit, name)]).toEqual([name, at(usual, name)]);
    }
    const bytes = (image: typeof explicit): Uint8Array =>
      image.segments[0]?.bytes ?? new Uint8Array(0);
    expect(Buffer.compare(bytes(explicit), bytes(usual))).toBe(0);
  });

  test('refuses a size without room for .bss, and one larger than the kernel mapping', () => {
    const found = /found 0x1000$/;
    expect(() => build(4096)).toThrow(found);
    const least = Number(/0x[0-9a-f]+ to/.exec(String(new Error(message(4096))))?.[0].slice(0, -3));
    expect(at(build(least), '_end') - at(build(least), '_text')).toBe(least);
    expect(() => build(least - 4096)).toThrow(/E_KERNEL_SIZE: kernel\.size/);
    expect(() => build(496 * MIB)).not.toThrow();
    expect(() => build(496 * MIB + 4096)).toThrow(/E_KERNEL_SIZE/);
    expect(() => build(16 * MIB + 1)).toThrow(/whole pages/);
  });

  test('is required by a scenario with a kernel size', () => {
    const sized = scenario('encrypted-tail');
    const file = { ...build(), kind: 'vmlinux', file: 'vmlinux' } as const;
    expect(() => boot({ scenario: sized, image: file })).toThrow(
      /E_KERNEL_SIZE: kernel\.size.*expected the built-in image, found vmlinux/,
    );
  });
});

function message(size: number): string {
  try {
    build(size);
  } catch (error) {
    return String(error);
  }
  return '';
}

describe('a kernel whose _end is not on 2 MiB', () => {
  exhaustiveTest('boots', () => {
    for (const size of ['15MiB', '16388KiB', '33MiB']) {
      const trace = boot({ scenario: scenario('bios-minimal', `kernel.size=${size}`) }).run();
      expect([size, trace.outcome.kind]).toEqual([size, 'booted']);
    }
  });

  test('has an adjacent initrd encrypted twice, by patch 18 and by patch 09', () => {
    const twice = boot({ scenario: scenario('encrypted-tail') }).run();
    expect(twice.outcome).toMatchObject({ kind: 'panic', message: /VFS/ });
    const reads = twice.consumed.filter(({ name }) => name === 'initrd');
    expect(reads.map(({ by, intact: whole }) => [by, whole])).toEqual([
      ['find_cpio_data', true],
      ['unpack_to_rootfs', false],
    ]);
    const once = boot({ scenario: scenario('encrypted-tail'), without: ['09/initrd'] }).run();
    expect(once.outcome.kind).toBe('booted');
    expect(intact(once, 'initrd')).toBe(true);
  });

  test.each([
    ['command line', 'loader.cmdlineAt=0x1fff000'],
    ['boot params', 'loader.zeroPageAt=0x1fff000'],
  ])('has an adjacent %s encrypted, which patch 09 then reads in the clear', (name, place) => {
    const make = (...settings: string[]) =>
      boot({ scenario: scenario('bios-minimal', 'kernel.size=15MiB', place, ...settings) }).run();
    expect(intact(make(), name)).toBe(false);
    expect(intact(make('cmdline=console=tty0'), name)).toBe(true);
  });

  test('has its work area at the next 2 MiB, and overwrites an initrd there', () => {
    const trace = boot({
      scenario: scenario('encrypted-tail', TAIL.replace('0x1f00000', '0x2000000')),
    }).run();
    expect(trace.outcome).toMatchObject({ kind: 'panic', message: /VFS/ });
  });
});
