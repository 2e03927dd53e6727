/** The record of the bus: what goes back with a boot. */
import { describe, expect, test } from '@jest/globals';
import { LineUses } from '../../../src/inspect/exposure/line-uses.js';
import { exposureAt, recordBus } from '../../../src/inspect/exposure/exposure.js';
import { pa } from '../../../src/machine/address.js';
import { Boot } from '../../../src/sequencer/boot.js';
import { bootOptions } from '../../../src/cli/run-options.js';

describe('the record of the bus', () => {
  test('goes back to a snapshot with its boot, and on from there as before', () => {
    const boot = new Boot(bootOptions('bios-minimal', {}));
    const log = recordBus(boot);
    const step = (): void => {
      log.step = boot.labels.indexOf(boot.lastLabel ?? '') + 1;
      boot.step();
    };
    const stepTo = (label: string): void => {
      while (boot.lastLabel !== label) step();
    };
    stepTo('startup_64:phys_base');
    const state = { boot: boot.snapshot(), log: log.snapshot() };
    const early = exposureAt(boot, log);
    stepTo('reserve_initrd');
    const late = exposureAt(boot, log);
    expect(late).not.toEqual(early);
    boot.restore(state.boot);
    log.restore(state.log);
    expect(exposureAt(boot, log)).toEqual(early);
    stepTo('reserve_initrd');
    expect(exposureAt(boot, log)).toEqual(late);
  });
});

describe('the numbers of lines', () => {
  test('of a snapshot stay when the lines get others', () => {
    const uses = new LineUses();
    uses.set(pa(0x1000), 128, 3);
    const before = uses.snapshot();
    uses.set(pa(0x1040), 64, 4);
    uses.set(pa(0x5000), 1, 9);
    const after = uses.snapshot();
    uses.set(pa(0x1000), 64, 0);
    const numbers = (): number[] => [0x1000, 0x1040, 0x1080, 0x5000].map((at) => uses.get(pa(at)));
    expect(numbers()).toEqual([0, 4, 0, 9]);
    uses.restore(before);
    expect(numbers()).toEqual([3, 3, 0, 0]);
    uses.restore(after);
    expect(numbers()).toEqual([3, 4, 0, 9]);
  });
});
