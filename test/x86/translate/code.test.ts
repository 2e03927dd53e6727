/** Modules that are made byte by byte, as the engine reads them. */
import { expect, test } from '@jest/globals';
import { Code, I32, I64, MEMORY, moduleOf, OP } from '../../../src/x86/translate/code.js';
import { memoryOf } from '../../../src/x86/translate/translator.js';
import { webAssembly } from '../../../src/x86/translate/web-assembly.js';

/** What a function of one parameter returns; its memory. */
function run(
  type: number,
  body: (code: Code) => void,
  parameter: number | bigint = 0,
): { result: unknown; bytes: Uint8Array } {
  const memory = memoryOf(1);
  if (webAssembly === null || memory === null) throw new RangeError('no WebAssembly');
  const code = new Code();
  body(code);
  const module = moduleOf({
    types: [{ parameters: [type], results: [type] }],
    imports: [],
    functions: [{ type: 0, locals: [I32, I32, I64], code, name: 'f' }],
    memoryPages: 1,
  });
  const { exports } = new webAssembly.Instance(new webAssembly.Module(module), { e: { memory } });
  const f = exports['f'] as (value: number | bigint) => unknown;
  return { result: f(parameter), bytes: new Uint8Array(memory.buffer) };
}

test.each([0, 1, 63, 64, 127, 128, -1, -64, -65, 2 ** 31 - 1, -(2 ** 31)])(
  'a constant of 32 bits: %i',
  (value) => {
    expect(run(I32, (code) => code.i32(value)).result).toBe(value);
  },
);

test.each([
  [0, 0],
  [-1, -1],
  [-1, 0],
  [0, -1],
  [0x8000_0000 | 0, 0],
  [0x1234_5678, 0x7edc_ba98],
  [0, 0x8000_0000 | 0],
])('a constant of 64 bits: %i and %i', (low, high) => {
  const expected = (BigInt(high) << 32n) | BigInt(low >>> 0);
  expect(run(I64, (code) => code.i64(low, high), 0n).result).toBe(expected);
});

test('a table of branches, a loop and a store', () => {
  const { result, bytes } = run(
    I32,
    (code) => {
      // Stores the parameter at 300 + the parameter, down to 0; returns 7 from the last one.
      code.loop(() => {
        code.block(() => {
          code.block(() => {
            code.get(0);
            code.branchTable(2);
          });
          code.i32(7);
          code.op(OP.return);
        });
        code.get(0);
        code.get(0);
        code.memory(MEMORY.i32Store8, 300);
        code.get(0);
        code.i32(1);
        code.op(OP.i32Sub);
        code.set(0);
        code.branch(0);
      });
      code.op(OP.unreachable);
    },
    3,
  );
  expect(result).toBe(7);
  expect([...bytes.subarray(299, 305)]).toEqual([0, 0, 1, 2, 3, 0]);
});
