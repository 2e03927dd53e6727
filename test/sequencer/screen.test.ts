import { describe, expect, test } from '@jest/globals';
import { pa } from '../../src/machine/address.js';
import { VGA_TEXT, VgaAdapter } from '../../src/machine/devices/vga.js';
import { screenOf } from '../../src/sequencer/screen.js';
import { boot, intact, scenario } from '../helpers.js';

describe('the screen of a machine', () => {
  test('exists only if the machine has a VGA', () => {
    expect(screenOf(boot({ stage: 0 }).machine)).toBeUndefined();
    expect('screen' in boot({ stage: 0 }).run().final).toBe(false);
    const b = boot({ stage: 0, scenario: scenario('bios-minimal', 'machine.vga=true') });
    expect(screenOf(b.machine)).toEqual([]);
  });

  test('is compared with the console output: one differing cell is found', () => {
    const b = boot({ stage: 0, scenario: scenario('bios-minimal', 'machine.vga=true') });
    b.runTo('run_init');
    const before = b.snapshot();
    expect(intact(b.run(), 'console')).toBe(true);
    b.restore(before);
    const vga = b.machine.bus.all.find((device) => device instanceof VgaAdapter);
    const at = VGA_TEXT.base + vgaStart(vga) + 23 * 160;
    vga?.mmioWrite(pa(at), Uint8Array.of(0x58), 0, 1);
    const trace = b.run();
    expect(trace.final.screen?.at(-1)).toBe('Xun /init as init process');
    expect(intact(trace, 'console')).toBe(false);
  });

  test('is not checked for a kernel without a console on it', () => {
    const settings = ['machine.vga=true', 'cmdline=console=ttyS0'];
    const trace = boot({ stage: 0, scenario: scenario('bios-minimal', ...settings) }).run();
    expect(trace.final.screen).toEqual([]);
    expect(intact(trace, 'console')).toBeUndefined();
  });
});

/** Offset of the screen in the text window, in bytes. */
function vgaStart(vga: VgaAdapter | undefined): number {
  const { crtc } = vga?.snapshot() ?? { crtc: new Uint8Array(0x19) };
  return ((crtc[0x0c] ?? 0) * 0x100 + (crtc[0x0d] ?? 0)) * 2;
}
