import { describe, expect, test } from '@jest/globals';
import { readSystemMap } from '../../../src/firmware/image/system-map.js';
import { refusal } from './build.js';

const MAP = `0000000000000000 D __per_cpu_start
0000000000034000 A __per_cpu_end
ffffffff81000000 T _text
ffffffff81000070 t secondary
ffffffff83830000 B _end
`;

describe('a System.map', () => {
  test('has names with sign-extended addresses and letters', () => {
    const symbols = readSystemMap(MAP, 'System.map');
    expect(symbols.size).toBe(5);
    expect(symbols.get('_text')).toEqual({ name: '_text', address: -0x7f00_0000, type: 'T' });
    expect(symbols.get('_end')?.address).toBe(-0x7c7d_0000);
    expect(symbols.get('__per_cpu_end')).toMatchObject({ address: 0x3_4000, type: 'A' });
    expect(symbols.at(-0x7f00_0000 + 0x6f)).toEqual({ name: '_text', offset: 0x6f });
  });

  test('may have carriage returns and no last line feed', () => {
    const symbols = readSystemMap(MAP.trimEnd().replaceAll('\n', '\r\n'), 'System.map');
    expect(symbols.get('_end')?.address).toBe(-0x7c7d_0000);
  });

  test('may have an absolute symbol that is not an address', () => {
    const symbols = readSystemMap(`1234567890abcdef A __crc_x\n${MAP}`, 'System.map');
    expect(symbols.get('__crc_x')).toBeUndefined();
    expect(symbols.size).toBe(5);
  });

  test.each([
    ['81000000 T _text', 1],
    ['ffffffff81000000 T', 1],
    ['ffffffff81000000 T _text [kvm]', 1],
    ['0xffffffff81000000 T _text', 1],
    ['\nffffffff81000000 T _text', 1],
    ['ffffffff81000000 T _text\n                 U other\n', 2],
    [`ffffffff81000000 T _text\nffffffff81000001 T ${'x'.repeat(512)}`, 2],
    [`ffffffff81000000 T ${'x'.repeat(1_000_000)}`, 1],
  ])('with the line %j is refused with the number of the line', (text, line) => {
    const { code, place } = refusal(() => readSystemMap(text, 'System.map'));
    expect({ code, place }).toEqual({
      code: 'E_BAD_SYSTEM_MAP',
      place: { file: 'System.map', line },
    });
  });

  test('that is a distribution’s placeholder is refused', () => {
    const note = 'ffffffffffffffff B The real System.map is in the debug package';
    expect(refusal(() => readSystemMap(note, 'System.map')).place.line).toBe(1);
    const short = 'ffffffffffffffff B The-real-System.map-is-elsewhere\n';
    const { code, place, found } = refusal(() => readSystemMap(short, 'System.map'));
    expect({ code, place, found }).toEqual({
      code: 'E_BAD_SYSTEM_MAP',
      place: { file: 'System.map' },
      found: '1 symbol without it',
    });
    expect(refusal(() => readSystemMap('', 'System.map')).found).toBe('0 symbols without it');
  });
});
