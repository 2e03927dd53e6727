import { expect, test } from '@jest/globals';
import { InputError } from '../../src/base/errors.js';
import { checkLimit, LIMITS } from '../../src/base/limits.js';
import { refusal } from '../trace/helpers.js';

test('each limit has a positive value, a unit, a quantity and a reason', () => {
  for (const [name, { most, unit, what, why }] of Object.entries(LIMITS)) {
    expect([name, most > 0, unit, what, why].every((each) => each !== '')).toBe(true);
    expect(Number.isSafeInteger(most)).toBe(true);
  }
});

test('the largest value is allowed; the next one is refused with place, expected and found', () => {
  const { deviceTree } = LIMITS;
  expect(() => checkLimit(deviceTree, deviceTree.most, {})).not.toThrow();
  const error = refusal(() => checkLimit(deviceTree, deviceTree.most + 1, { file: 'f' }));
  expect(error).toMatchObject({
    code: 'E_DTB_SIZE',
    place: { file: 'f' },
    expected: 'at most 61440 bytes',
    found: '61441',
  });
});

test('each part of a message is cut at its limit', () => {
  const { most } = LIMITS.message;
  for (const part of ['reason', 'expected', 'found'] as const) {
    const whole = new InputError({ code: 'E_X', [part]: 'x'.repeat(most) });
    expect(whole.message).toContain('x'.repeat(most));
    const long = new InputError({ code: 'E_X', [part]: 'x'.repeat(10 * most) });
    expect(long.message.length).toBeLessThan(most + 100);
    expect(long.format().length).toBeLessThan(most + 100);
    expect(long.message).toContain(`${String(10 * most)} characters`);
  }
  const path = new InputError({ code: 'E_X', place: { path: 'k'.repeat(10 * most) } });
  expect(path.message.length).toBeLessThan(most + 100);
});
