import { describe, expect, test } from '@jest/globals';
import { SETUP_DATA } from '../../src/firmware/efi/layout.js';
import { placeSetupData } from '../../src/firmware/setup-data.js';

describe('the setup_data chain', () => {
  const nodes = [1, 0x40, 0x41, 5000].map((length, index) => ({
    name: `node ${String(index)}`,
    type: index,
    data: new Uint8Array(length).fill(index + 1),
  }));
  const placed = placeSetupData(nodes, 0x8_0000);

  test('has struct setup_data as bootparam.h lays it out', () => {
    expect(SETUP_DATA).toEqual({ next: 0, type: 8, len: 12, data: 16 });
  });

  test('links each node to the next, and the last to none', () => {
    const next = placed.map(({ bytes }) =>
      Number(new DataView(bytes.buffer).getBigUint64(0, true)),
    );
    expect(next).toEqual([...placed.slice(1).map(({ at }) => at), 0]);
  });

  test('stores type, length and data of each node', () => {
    for (const [index, { bytes }] of placed.entries()) {
      const view = new DataView(bytes.buffer);
      const data = nodes[index]?.data ?? new Uint8Array(0);
      expect(view.getUint32(SETUP_DATA.type, true)).toBe(index);
      expect(view.getUint32(SETUP_DATA.len, true)).toBe(data.length);
      expect(bytes.subarray(SETUP_DATA.data)).toEqual(data);
    }
  });

  test('places nodes without overlap', () => {
    for (const [index, { at, bytes }] of placed.entries()) {
      expect(placed[index + 1]?.at ?? Infinity).toBeGreaterThanOrEqual(at + bytes.length);
    }
  });

  test('without nodes is empty', () => {
    expect(placeSetupData([], 0x8_0000)).toEqual([]);
  });
});
