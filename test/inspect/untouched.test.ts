/** Every query of `inspect`, `exposure` and `why`, and what a matrix row asks, leaves the machine as it was. */
import { expect, test } from '@jest/globals';
import { mismatchOnWalk } from '../../src/analysis/matrix/key-mismatch.js';
import { cachedLines } from '../../src/inspect/cached.js';
import { exposedBy } from '../../src/inspect/exposed.js';
import { exposureAt, recordBus } from '../../src/inspect/exposure/exposure.js';
import { History } from '../../src/inspect/history.js';
import { keysInUse } from '../../src/inspect/keys.js';
import { bytesOf, MEMORY_VIEWS } from '../../src/inspect/memory.js';
import { parsePlace, physicalOf, physicalRanges, virtualOf } from '../../src/inspect/place.js';
import { clearTables, mappedRanges } from '../../src/inspect/tables.js';
import { tlbOf } from '../../src/inspect/tlb.js';
import { walkOf } from '../../src/inspect/walk.js';
import { va } from '../../src/machine/address.js';
import { isFault } from '../../src/machine/cpu/fault.js';
import type { Boot } from '../../src/sequencer/boot.js';
import { exhaustiveTest, firstOf } from '../cases.js';
import { boot, scenario } from '../helpers.js';
import { machineDigest } from '../machine-digest.js';

/** Tables, boot parameters, video memory, a register page, memory that nothing wrote. */
const RANGES = [
  { base: 0x1b0_0000, size: 0x8000 },
  { base: 0x9_0000, size: 0x1000 },
  { base: 0xb_8000, size: 0x1000 },
  { base: 0xfee0_0000, size: 0x1000 },
  { base: 0x300_0000, size: 0x1000 },
];
const NAMES = ['init_level4_pgt[511]', 'boot_params', 'initrd', '0xffff880000000000', '0x0'];

const QUERIES: Readonly<Record<string, (b: Boot) => unknown>> = {
  'inspect --engine': ({ machine }) => keysInUse(machine),
  'inspect --tlb': ({ machine }) => machine.cpus.map((cpu) => tlbOf(machine, cpu)),
  'inspect --tables': ({ machine }) => machine.cpus.map((cpu) => mappedRanges(machine, cpu)),
  'inspect --walk': ({ machine }) =>
    machine.cpus.map((cpu) => [-0x7f00_0000, 0, 0x1000].map((at) => walkOf(machine, cpu, va(at)))),
  'inspect --cache': (b) => cachedLines(b, RANGES),
  'inspect --mem': ({ machine }) => MEMORY_VIEWS.map((view) => bytesOf(machine, RANGES, view)),
  'a place': (b) =>
    NAMES.map((name) => {
      const place = parsePlace(b, name, 'va');
      // A place that is not mapped at a label is looked up as well.
      const unmapped = isFault(b.kernel.cpu.translate(virtualOf(place)));
      const ask = (): unknown => [physicalOf(b, place, name), physicalRanges(b, place, 64, name)];
      if (unmapped && place.space === 'va') expect(ask).toThrow(/E_NOT_MAPPED/);
      else ask();
    }),
  exposure: (b) => [exposureAt(b), exposedBy(b), clearTables(b.machine)],
  regions: (b) => [b.regions(), b.reports()],
  'the cause of a matrix row': (b) =>
    b.machine.cpus.map((cpu) => [-0x7f00_0000, 0x1000].map((at) => mismatchOnWalk(b, cpu, va(at)))),
};

test.each(
  firstOf(1, [
    ['with HwEnfCacheCoh', 'zen-3'],
    ['without it', 'zen-1'],
  ]),
)('a query changes nothing in the machine, %s', (_name, cpu) => {
  const settings = ['machine.ram=64MiB', `machine.cpu=${cpu}`, 'machine.vga=true'];
  const b = boot({ scenario: scenario('bios-minimal', ...settings) });
  for (const label of ['startup_64:switch', 'run_init']) {
    b.runTo(label);
    const before = machineDigest(b.machine);
    for (const [query, ask] of Object.entries(QUERIES)) {
      ask(b);
      expect([label, query, machineDigest(b.machine)]).toEqual([label, query, before]);
    }
  }
});

exhaustiveTest('a boot that is recorded for exposure and why leaves the same machine', () => {
  const settings = ['machine.ram=64MiB', 'machine.cpu=zen-3'];
  const [told, quiet] = [true, false].map((records) => {
    const b = boot({ scenario: scenario('bios-minimal', ...settings) });
    const log = records ? recordBus(b) : undefined;
    if (records) new History(b, RANGES).listen();
    for (let steps = 0; b.step(); steps++) if (steps % 12 === 1) exposureAt(b, log);
    return { machine: machineDigest(b.machine), trace: b.finish() };
  });
  expect(told).toEqual(quiet);
});
