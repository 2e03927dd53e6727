import { describe, expect, test } from '@jest/globals';
import { CON } from '../../../../../src/linux/include/linux/console.js';
import { VgaAdapter } from '../../../../../src/machine/devices/vga.js';
import type { Boot } from '../../../../../src/sequencer/boot.js';
import { firstOf } from '../../../../cases.js';
import { boot, intact, scenario } from '../../../../helpers.js';

/** A boot with a VGA and a command line. */
function vgaBoot(cmdline: string, options: Parameters<typeof boot>[0] = {}): Boot {
  const settings = ['machine.vga=true', `cmdline=${cmdline}`];
  return boot({ scenario: scenario('bios-minimal', ...settings), ...options });
}
function linesOf(b: Boot): string[] {
  const vga = b.machine.bus.all.find((device) => device instanceof VgaAdapter);
  return vga?.render().lines.map((line) => line.trimEnd()) ?? [];
}
const upTo = (label: string, cmdline: string, options: Parameters<typeof boot>[0] = {}): Boot => {
  const b = vgaBoot(cmdline, options);
  b.runTo(label);
  return b;
};
const shown = (b: Boot): string[] => linesOf(b).filter((line) => line !== '');

describe('earlyprintk=vga', () => {
  test('shows the log so far when it registers, and every line from then on', () => {
    const b = upTo('init_mem_mapping', 'earlyprintk=vga', { stage: 0 });
    const { log } = b.kernel.state.console.printk;
    expect(log).toContain('bootconsole [earlyvga0] enabled');
    expect(shown(b)).toEqual(log.slice(-25));
    expect(linesOf(b).at(-1)).toBe(log.at(-1));
  });

  test('is not registered without the option or its value, nor by another option that contains its name', () => {
    for (const cmdline of ['console=tty0', 'earlyprintk', 'xearlyprintk=vga']) {
      const b = upTo('init_mem_mapping', cmdline, { stage: 0 });
      expect([cmdline, b.kernel.state.console.printk.drivers]).toEqual([cmdline, []]);
      expect(shown(b)).toEqual([]);
    }
  });

  test('is not registered on a machine without a VGA', () => {
    const b = boot({ stage: 0, scenario: scenario('bios-minimal', 'cmdline=earlyprintk=vga') });
    b.runTo('parse_setup_data');
    expect(b.kernel.state.console.printk.drivers).toEqual([]);
  });

  test('is the only form modelled: another console throws E_UNMODELLED with its name', () => {
    expect(() => upTo('parse_setup_data', 'earlyprintk=serial,ttyS0', { stage: 0 })).toThrow(
      /E_UNMODELLED.*earlyprintk=serial/,
    );
  });

  test('is unregistered when the real console registers; with keep it stays', () => {
    const names = (cmdline: string): string[] =>
      upTo('console_init', cmdline, { stage: 0 }).kernel.state.console.printk.drivers.map(
        ({ name }) => name,
      );
    expect(names('earlyprintk=vga console=tty0')).toEqual(['tty']);
    expect(names('earlyprintk=vga,keep console=tty0')).toEqual(['tty', 'earlyvga']);
    expect(names('earlyprintk=vga console=ttyS0')).toEqual(['earlyvga']);
  });

  test('has the flag CON_BOOT only without keep', () => {
    const flags = (cmdline: string): number =>
      (upTo('parse_setup_data', cmdline, { stage: 0 }).kernel.state.console.printk.drivers[0]
        ?.flags ?? 0) & CON.BOOT;
    expect(flags('earlyprintk=vga')).toBe(CON.BOOT);
    expect(flags('earlyprintk=vga,keep')).toBe(0);
  });

  test('writes through the direct map: with encryption on no text reaches the adapter', () => {
    const b = upTo('mm_init', 'earlyprintk=vga mem_encrypt=on');
    expect(b.kernel.state.console.printk.drivers.map(({ name }) => name)).toEqual(['earlyvga']);
    expect(shown(b)).toEqual([]);
  });

  test.each(
    firstOf(1, [
      [0, true],
      [18, false],
    ]),
  )('at stage %i the screen shows what was printed before console_init: %s', (stage, there) => {
    const trace = vgaBoot('earlyprintk=vga console=tty0 mem_encrypt=on', { stage }).run();
    expect(intact(trace, 'early console')).toBe(there);
    expect(intact(trace, 'console')).toBe(true);
  });
});

describe('early_vga_write', () => {
  function early(): Boot {
    const b = upTo('parse_setup_data', 'earlyprintk=vga', { stage: 0 });
    b.recorder.step('test');
    return b;
  }

  test('continues in the next line after the last column, and scrolls with the next character', () => {
    const b = early();
    b.kernel.fn.early_vga_write('x'.repeat(81));
    expect(linesOf(b).slice(-2)).toEqual(['x'.repeat(80), 'x']);
    b.kernel.fn.early_vga_write('\n');
    expect(linesOf(b).at(-1)).toBe('x');
    b.kernel.fn.early_vga_write('y');
    expect(linesOf(b).slice(-2)).toEqual(['x', 'y']);
  });

  test('writes a line of 80 columns without scrolling before the next character', () => {
    const b = early();
    b.kernel.fn.early_vga_write('z'.repeat(80));
    expect(linesOf(b).at(-1)).toBe('z'.repeat(80));
  });

  test('drops a carriage return and writes the bytes around it', () => {
    const b = early();
    b.kernel.fn.early_vga_write('a\rb');
    expect(linesOf(b).at(-1)).toBe('ab');
  });
});
