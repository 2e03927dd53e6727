import { describe, expect, test } from '@jest/globals';
import { pa } from '../../../../../src/machine/address.js';
import { firstOf } from '../../../../cases.js';
import { boot, scenario } from '../../../../helpers.js';

/** A ROM with its signature, its length in blocks of 512 bytes, and a byte that makes the bytes sum to `sum`. */
function rom(blocks: number, sum = 0): Uint8Array {
  const bytes = new Uint8Array(blocks * 512).fill(0xa5, 16);
  bytes.set([0x55, 0xaa, blocks]);
  bytes[3] = (sum - bytes.reduce((total, byte) => total + byte, 0)) & 0xff;
  return bytes;
}

type Placed = readonly [address: number, bytes: Uint8Array];

/** Resources that probe_roms() requests; outside `roms` the area is zero. */
function requested(roms: readonly Placed[], options: Parameters<typeof boot>[0] = {}): string[] {
  const b = boot({ stage: 0, ...options });
  b.machine.dmaWrite(pa(0xc_0000), new Uint8Array(0x4_0000));
  for (const [at, bytes] of roms) b.machine.dmaWrite(pa(at), bytes);
  b.runTo('dmi_scan_machine');
  return b.kernel.state.roms.map(
    ({ name, start, end }) => `${name} ${start.toString(16)}-${end.toString(16)}`,
  );
}
const SYSTEM = 'System ROM f0000-fffff';

describe('probe_roms', () => {
  test('requests the system ROM alone where there is no other', () => {
    expect(requested([])).toEqual([SYSTEM]);
  });

  test('requests a video ROM with its length if the checksum is right, else to 0xc7fff', () => {
    expect(requested([[0xc_0000, rom(64)]])).toEqual(['Video ROM c0000-c7fff', SYSTEM]);
    expect(requested([[0xc_0000, rom(8)]])).toEqual(['Video ROM c0000-c0fff', SYSTEM]);
    expect(requested([[0xc_0000, rom(8, 1)]])).toEqual(['Video ROM c0000-c7fff', SYSTEM]);
  });

  test.each(
    firstOf(2, [
      [0xc_0000, true],
      [0xc_0400, false],
      [0xc_0800, true],
      [0xc_7800, true],
    ]),
  )('a video ROM at %i is found: %s', (at, found) => {
    expect(requested([[at, rom(1)]]).some((line) => line.startsWith('Video'))).toBe(found);
  });

  test.each(
    firstOf(2, [
      ['the highest address', 0xe_f800, rom(4), true],
      ['a length that reaches into the system ROM', 0xe_f800, rom(5), false],
      ['the lowest address', 0xc_8000, rom(4), true],
      ['a wrong checksum', 0xc_8000, rom(4, 1), false],
      ['length 0', 0xc_8000, Uint8Array.of(0x55, 0xaa, 0), false],
      ['an address that is not a multiple of 2 KiB', 0xc_8400, rom(2), false],
    ]),
  )('an adapter ROM with %s is requested: %s', (_what, at, bytes, found) => {
    const end = (at + bytes.length - 1).toString(16);
    const line = `Adapter ROM ${at.toString(16)}-${end}`;
    expect(requested([[at, bytes]])).toEqual(found ? [SYSTEM, line] : [SYSTEM]);
  });

  test('searches for the next adapter ROM after the end of the one before', () => {
    const inner = rom(8);
    // A signature inside the first ROM is not checked.
    inner.set([0x55, 0xaa, 1], 2048);
    inner[3] = 0;
    inner[3] = -inner.reduce((total, byte) => total + byte, 0) & 0xff;
    expect(
      requested([
        [0xc_8000, inner],
        [0xc_9000, rom(4)],
      ]),
    ).toEqual([SYSTEM, 'Adapter ROM c8000-c8fff', 'Adapter ROM c9000-c97ff']);
  });

  test('requests six adapter ROMs and no more', () => {
    const roms = Array.from({ length: 7 }, (_, i): Placed => [0xd_0000 + i * 0x1000, rom(1)]);
    expect(requested(roms).length).toBe(1 + 6);
  });

  test('requests an extension ROM of 64 KiB by its checksum alone, and no adapter ROM after its start', () => {
    const extension = rom(128);
    expect(requested([[0xe_0000, extension]])).toEqual([SYSTEM, 'Extension ROM e0000-effff']);
  });

  test.each(
    firstOf(2, [
      [17, false, true],
      [18, false, false],
      [9, true, false],
    ]),
  )(
    'at stage %i, activated %s, finds the ROMs through the direct map: %s',
    (stage, activate, found) => {
      const roms: Placed[] = [
        [0xc_0000, rom(64)],
        [0xd_0000, rom(4)],
      ];
      const lines = requested(roms, { stage, activate, scenario: scenario() });
      expect(lines.filter((line) => line !== SYSTEM).length).toBe(found ? 2 : 0);
    },
  );
});
