import { describe, expect, test } from '@jest/globals';
import { recordWrites, writeDifferences } from '../../../src/analysis/lock-step/writes.js';
import { machine } from '../../x86/program.js';

test('writes of control registers and MSRs are recorded in their order, until the end', () => {
  const m = machine();
  const [cpu] = m.cpus;
  const list: string[] = [];
  const stop = recordWrites(m, list);
  cpu.writeCr3(0x2_0000n);
  cpu.wrmsr(0xc000_0080, 0xd00n);
  cpu.writeCr4(0x20);
  stop();
  cpu.writeCr4(0x620);
  expect(list).toEqual(['CR3 := 0x20000', 'EFER := 0xd00', 'CR4 := 0x20']);
});

describe('differences of two lists', () => {
  test.each([
    ['none', 'a b c', 'a b c', ''],
    ['one is missing in the model', 'a x b', 'a b', 'image 2 x'],
    ['one is missing in the image', 'a b', 'a b y', 'model 3 y'],
    ['another one', 'a x b', 'a y b', 'image 2 x, model 2 y'],
    ['the order', 'a b', 'b a', 'image 1 a, model 2 a'],
    ['all', 'a', '', 'image 1 a'],
    ['nothing at all', '', '', ''],
  ])('%s', (_name, image, model, expected) => {
    const words = (text: string): string[] => text.split(' ').filter((each) => each !== '');
    const found = writeDifferences(words(image), words(model));
    expect(found.map(({ by, number, what }) => `${by} ${String(number)} ${what}`).join(', ')).toBe(
      expected,
    );
  });
});
