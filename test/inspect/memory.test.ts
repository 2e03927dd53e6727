import { expect, test } from '@jest/globals';
import { bytesOf } from '../../src/inspect/memory.js';
import { KEY_HOST, pa } from '../../src/machine/address.js';
import { Bench } from '../sanitizer/bench.js';

test('ranges are read one after the other, as on the bus or under a key', () => {
  const { machine } = new Bench();
  machine.dmaWrite(pa(0x3000), Uint8Array.of(1, 2, 3, 4, 5, 6, 7), KEY_HOST);
  const ranges = [
    { base: 0x3004, size: 3 },
    { base: 0x3001, size: 2 },
  ];
  expect([...bytesOf(machine, ranges, 'c1')]).toEqual([5, 6, 7, 2, 3]);
  const bus = bytesOf(machine, ranges, 'dram');
  const { dram } = machine;
  expect([...bus]).toEqual([...dram.peek(pa(0x3004), 3), ...dram.peek(pa(0x3001), 2)]);
  expect([...bytesOf(machine, ranges, 'c0')]).toEqual([...bus]);
});
