import { describe, expect, test } from '@jest/globals';
import {
  SCREEN_INFO,
  SCREEN_INFO_SIZE,
} from '../../../../src/linux/include/uapi/linux/screen_info.js';
import { BOOT_PARAMS } from '../../../../src/firmware/boot-params.js';
import { screenOf } from '../../../../src/sequencer/screen.js';
import { boot, scenario } from '../../../helpers.js';

describe('console= on the command line', () => {
  function setup(...values: string[]) {
    const b = boot({ stage: 0 });
    for (const value of values) b.kernel.fn.console_setup(value);
    const { cmdline, selected } = b.kernel.state.console.printk;
    return { cmdline, selected };
  }

  test.each([
    ['tty0', 'tty', 0],
    ['tty', 'tty', 0],
    ['ttyS1,115200n8', 'ttyS', 1],
    ['0', 'ttyS', 0],
    ['hvc12', 'hvc', 12],
  ])('%s names %s, index %i', (value, name, index) => {
    expect(setup(value)).toEqual({ cmdline: [{ name, index }], selected: 0 });
  });

  test('the last one is preferred, even if it was given before', () => {
    expect(setup('ttyS0', 'tty0').selected).toBe(1);
    const again = setup('ttyS0', 'tty0', 'ttyS0');
    expect([again.cmdline.length, again.selected]).toEqual([2, 0]);
  });
});

test('SCREEN_INFO has the offsets of BOOT_PARAMS and of the kernel header', () => {
  for (const name of [
    'orig_x',
    'orig_y',
    'orig_video_mode',
    'orig_video_cols',
    'orig_video_ega_bx',
    'orig_video_lines',
    'orig_video_isVGA',
    'orig_video_points',
  ] as const) {
    expect([name, SCREEN_INFO[name].at]).toEqual([name, BOOT_PARAMS[name]]);
  }
  // include/uapi/linux/screen_info.h states the offsets in its comments.
  expect(Object.values(SCREEN_INFO).map(({ at }) => at)).toEqual([
    0x00, 0x01, 0x06, 0x07, 0x0a, 0x0e, 0x0f, 0x10,
  ]);
  expect(SCREEN_INFO_SIZE).toBe(0x40);
});

test('without a VGA the loader leaves screen_info empty', () => {
  const { zeroPage } = boot().loaded;
  for (const { at } of Object.values(SCREEN_INFO)) expect(zeroPage[at]).toBe(0);
});

describe('printk', () => {
  test('fills the log and the screen alike, whether or not the trace records it', () => {
    const [told, quiet] = [true, false].map((on) => {
      const b = boot({ scenario: scenario('bios-minimal', 'machine.vga=true') });
      b.kernel.trace.on = on;
      b.runTo('console_init');
      return { log: b.kernel.state.console.printk.log, screen: screenOf(b.machine) };
    });
    expect(told).toEqual(quiet);
    expect(quiet?.log).toContain('console [tty0] enabled');
  });

  test('gives the trace each line once, with the function that prints', () => {
    const b = boot();
    b.runTo('early_cpu_init');
    b.recorder.step('here');
    b.kernel.fn.console_lock();
    b.kernel.fn.printk('while locked');
    b.kernel.fn.console_unlock();
    const lines = b.recorder.eventsOf('here').filter(({ console }) => console !== undefined);
    expect(lines).toEqual([
      { console: 'while locked', in: 'setup_arch', file: 'arch/x86/kernel/setup.c' },
    ]);
  });
});
