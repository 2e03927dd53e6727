import { expect, test } from '@jest/globals';
import { pa, va } from '../../src/machine/address.js';
import { pciRequester } from '../../src/machine/requester.js';
import { History } from '../../src/inspect/history.js';
import { boot, scenario } from '../helpers.js';

test('records the accesses to its ranges, those of one code in a row as one, newest first', () => {
  const b = boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB') });
  b.runTo('startup_64');
  const at = b.program.link('boot_command_line');
  const physical = at - b.program.link('_text') + b.loaded.kernelAt;
  const history = new History(b, [
    { base: physical, size: 16 },
    { base: physical + 64, size: 8 },
  ]);
  const end = history.listen();
  const cpu = b.machine.cpus[0];
  for (const offset of [0, 4, 12, 16, 60]) cpu.storeU64(va(physical + offset), 1n);
  cpu.loadU8(va(physical + 65));
  b.machine.dmaWrite(pa(physical + 8), new Uint8Array(4), undefined, pciRequester(0x7777));
  b.machine.dmaRead(pa(physical), 8);
  end();
  cpu.loadU8(va(physical));
  const rows = history.newestFirst.map(({ kind, first, last, n, in: by, cpu: id }) => [
    ...[kind, first - physical, last - physical, n, id ?? by],
  ]);
  // The last store ends in the second range; a report's read is none.
  expect(rows.filter(([kind]) => kind !== 'write-back')).toEqual([
    ['write', 8, 11, 1, 'device'],
    ['read', 65, 65, 1, 0],
    ['write', 0, 67, 4, 0],
  ]);
  expect(history.newestFirst.at(-1)).toMatchObject({ key: 0, step: 'startup_64' });
});

test('keeps the newest accesses only, and tells since when they are complete', () => {
  const b = boot({ scenario: scenario('bios-minimal', 'machine.ram=64MiB') });
  b.runTo('startup_64');
  const { kernelAt } = b.loaded;
  const history = new History(b, [{ base: kernelAt, size: 16 }], 2);
  const end = history.listen();
  const cpu = b.machine.cpus[0];
  expect([history.forgotten, history.since]).toEqual([0, undefined]);
  for (const _round of [0, 1]) {
    cpu.storeU64(va(kernelAt), 1n);
    cpu.loadU8(va(kernelAt));
  }
  b.runTo('startup_64:fixup');
  cpu.storeU64(va(kernelAt), 1n);
  end();
  const kinds = history.newestFirst.map(({ kind }) => kind);
  expect(kinds).toEqual(['write', 'read']);
  expect([history.forgotten, history.since]).toEqual([3, 'startup_64']);
});
