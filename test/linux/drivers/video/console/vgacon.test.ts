import { describe, expect, test } from '@jest/globals';
import { VGA_TEXT, VgaAdapter } from '../../../../../src/machine/devices/vga.js';
import { pa } from '../../../../../src/machine/address.js';
import type { Boot } from '../../../../../src/sequencer/boot.js';
import { exhaustiveTest, firstOf } from '../../../../cases.js';
import { boot, intact, scenario } from '../../../../helpers.js';

function vgaBoot(options: Parameters<typeof boot>[0] = {}, ...settings: string[]): Boot {
  return boot({ scenario: scenario('bios-minimal', 'machine.vga=true', ...settings), ...options });
}
function adapter(b: Boot): VgaAdapter {
  const vga = b.machine.bus.all.find((device) => device instanceof VgaAdapter);
  if (vga === undefined) throw new Error('no VGA');
  return vga;
}
const linesOf = (b: Boot): string[] =>
  adapter(b)
    .render()
    .lines.map((line) => line.trimEnd());

/** A boot after console_init, with the VGA console registered. */
function console(options: Parameters<typeof boot>[0] = {}): Boot {
  const b = vgaBoot({ stage: 0, ...options });
  b.runTo('console_init');
  b.recorder.step('test');
  return b;
}

describe('console_init', () => {
  test('registers the VGA console and replays the log, whose last lines are on the screen', () => {
    const b = console();
    const { log } = b.kernel.state.console.printk;
    expect(log).toContain('Console: colour VGA+ 80x25');
    expect(log.at(-1)).toBe('console [tty0] enabled');
    expect(linesOf(b).slice(0, 24)).toEqual(log.slice(-24));
    expect(adapter(b).render().cursor).toEqual({ line: 24, column: 0 });
  });

  test('uses the dummy console without a VGA', () => {
    const b = boot({ stage: 0 });
    b.runTo('console_init');
    expect(b.kernel.state.console.vt.vc?.sw).toBe('dummy_con');
    expect(b.kernel.state.console.printk.log).toContain('Console: colour dummy device 80x25');
  });

  test.each(
    firstOf(1, [
      ['console=tty0', ['tty']],
      ['root=/dev/ram0', ['tty']],
      ['console=ttyS0', []],
      ['console=ttyS0 console=tty0', ['tty']],
      ['console=tty1', ['tty']],
    ]),
  )('%s registers %j', (cmdline, names) => {
    const b = vgaBoot({ stage: 0 }, `cmdline=${cmdline}`);
    b.runTo('console_init');
    expect(b.kernel.state.console.printk.drivers.map(({ name }) => name)).toEqual(names);
  });

  test('restores the two cells that vgacon_startup writes as a probe', () => {
    const b = vgaBoot({ stage: 0 });
    b.runTo('mm_init');
    adapter(b).mmioWrite(pa(VGA_TEXT.base), Uint8Array.of(0x41, 0x12, 0x42, 0x34), 0, 4);
    b.recorder.step('test');
    b.kernel.state.console.vgacon.vga_vram_base = b.kernel.__va(VGA_TEXT.base);
    expect(b.kernel.fn['vgacon_startup:probe']()).toBe(true);
    expect(adapter(b).render().lines[0]?.slice(0, 2)).toBe('AB');
  });

  test('finds no adapter if its memory does not read back what is written', () => {
    const b = vgaBoot({ stage: 0 });
    b.runTo('mm_init');
    b.recorder.step('test');
    // The graphics window: the adapter does not decode it in a text mode.
    b.kernel.state.console.vgacon.vga_vram_base = b.kernel.__va(0xa_0000);
    expect(b.kernel.fn['vgacon_startup:probe']()).toBe(false);
  });
});

describe('vt_console_print', () => {
  test('wraps after the last column only when another character is printed', () => {
    const b = console();
    b.kernel.fn.vt_console_print('x'.repeat(80));
    expect(linesOf(b).at(-1)).toBe('x'.repeat(80));
    b.kernel.fn.vt_console_print('\ny');
    expect(linesOf(b).slice(-2)).toEqual(['x'.repeat(80), 'y']);
    b.kernel.fn.vt_console_print(`\n${'z'.repeat(81)}`);
    expect(linesOf(b).slice(-3)).toEqual(['y', 'z'.repeat(80), 'z']);
  });

  test('moves back at a backspace, but not before the first column', () => {
    const b = console();
    b.kernel.fn.vt_console_print('ab\bc');
    expect(linesOf(b).at(-1)).toBe('ac');
    b.kernel.fn.vt_console_print('\n\b\bd');
    expect(linesOf(b).slice(-2)).toEqual(['ac', 'd']);
    // In the last column, where the next character would wrap: one column back.
    b.kernel.fn.vt_console_print(`\n${'x'.repeat(80)}\byz`);
    expect(linesOf(b).at(-1)).toBe(`${'x'.repeat(78)}yz`);
  });

  test('scrolls by moving the origin, and wraps to the start of video memory at its end', () => {
    const b = console();
    const { vgacon, vt } = b.kernel.state.console;
    const origins = new Set<number>();
    let wraps = 0;
    for (let i = 0; i < 420; i++) {
      const before = vt.vc?.origin ?? 0;
      b.kernel.fn.printk(`line ${String(i)}`);
      const origin = vt.vc?.origin ?? 0;
      origins.add(origin);
      if (origin < before) wraps++;
      expect(origin).toBeGreaterThanOrEqual(vgacon.vga_vram_base);
      expect(vt.vc?.scr_end).toBeLessThan(vgacon.vga_vram_end);
    }
    expect(wraps).toBe(2);
    expect(linesOf(b)).toEqual([
      ...Array.from({ length: 24 }, (_, i) => `line ${String(396 + i)}`),
      '',
    ]);
  });

  test('prints a record once, including one that is logged while the console is locked', () => {
    const b = console();
    const { printk } = b.kernel.state.console;
    printk.locked = true;
    b.kernel.fn.printk('while locked');
    expect(linesOf(b).join('\n')).not.toContain('while locked');
    b.kernel.fn.console_unlock();
    b.kernel.fn.printk('after');
    expect(linesOf(b).slice(-3)).toEqual(['while locked', 'after', '']);
  });
});

describe('the screen at the end of a boot', () => {
  test.each(
    firstOf(3, [
      [18, false, true],
      [15, true, false],
      [16, true, true],
      [0, false, true],
      [15, false, true],
      [16, false, true],
      [10, true, false],
    ]),
  )('stage %i, activated %s, shows the console’s text: %s', (stage, activate, shown) => {
    const trace = vgaBoot({ stage, activate }).run();
    expect(trace.outcome.kind).toBe('booted');
    expect(intact(trace, 'console')).toBe(shown);
    expect(trace.final.screen?.at(-1)).toBe(shown ? 'Run /init as init process' : undefined);
  });

  exhaustiveTest('is the same when the boot is resumed from a snapshot at mm_init', () => {
    const b = vgaBoot();
    b.runTo('mm_init');
    const snapshot = b.snapshot();
    const whole = b.run();
    const other = vgaBoot();
    other.restore(snapshot);
    expect(other.run().final.screen).toEqual(whole.final.screen);
  });

  test('shows a panic', () => {
    const trace = vgaBoot({ stage: 0, initrd: new Uint8Array(0) }).run();
    expect(trace.outcome.kind).toBe('panic');
    expect(trace.final.screen?.at(-1)).toMatch(/^Kernel panic - not syncing: VFS/);
  });
});
