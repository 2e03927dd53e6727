/** The tracer changes nothing: a boot does the same whether it is traced, not traced, or watched by others as well. */
import { describe, expect, test } from '@jest/globals';
import type { Boot } from '../../src/sequencer/boot.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { boot, scenario } from '../helpers.js';
import { machineDigest } from '../machine-digest.js';

/** Everything of a boot that its tracing could change. */
function endOf(b: Boot): unknown {
  const { log } = b.kernel.state.console.printk;
  return { outcome: b.outcome, log, machine: machineDigest(b.machine) };
}

function bootTo(settings: readonly string[], before: (b: Boot) => void): Boot {
  const [name, ...more] = settings;
  const b = boot({ scenario: scenario(name, ...more) });
  while (b.ahead.length > 0) {
    before(b);
    b.step();
  }
  return b;
}

const traced = (): void => undefined;

const untraced = ({ kernel }: Boot): void => {
  kernel.trace.on = false;
};

/** The reads for the matrix are recorded, and another tracer listens to the same probe points. */
const watched = (b: Boot): void => {
  if (b.kernel.trace.reads !== null) return;
  b.kernel.trace.reads = [];
  const { accessed, walked, translated, dma, flushed, linesFlushed } = b.machine.probes;
  for (const point of [accessed, walked, translated, dma, flushed, linesFlushed]) {
    point.listen(() => undefined);
  }
};

const BOOTS: readonly (readonly string[])[] = [
  ['bios-minimal', 'machine.ram=64MiB', 'machine.cpu=zen-3', 'machine.vga=true'],
  ['bios-devices', 'machine.ram=512MiB'],
  ['epyc-efi', 'machine.cpu=zen-3'],
];

describe('a boot leaves the same machine, registers, TLBs, caches and DRAM', () => {
  test.each(firstOf(2, BOOTS).map((each) => [each.join(' '), each] as const))(
    'untraced as traced: %s',
    (_name, settings) => {
      const untracedBoot = bootTo(settings, untraced);
      expect(endOf(untracedBoot)).toEqual(endOf(bootTo(settings, traced)));
      expect(untracedBoot.recorder.eventsOf('setup_arch')).toEqual([]);
    },
  );

  exhaustiveTest('watched by another tracer as by one', () => {
    for (const settings of BOOTS) {
      const [once, twice] = [traced, watched].map((how) => bootTo(settings, how));
      expect(twice && endOf(twice)).toEqual(once && endOf(once));
      expect(twice?.finish()).toEqual(once?.finish());
    }
  });
});
