import { expect, test } from '@jest/globals';
import { TARGET_XML } from '../../src/gdb/target-description.js';
import { REGISTERS } from '../../src/gdb/registers.js';

test('it lists the registers in the order of their numbers', () => {
  const listed = [...TARGET_XML.matchAll(/<reg name="(\w+)" bitsize="(\d+)" type="(\w+)"\/>/g)];
  expect(listed.map(([, name, bits, type]) => [name, Number(bits), type])).toEqual(
    REGISTERS.map(({ name, bits, type }) => [name, bits, type]),
  );
});

test('each type is one of gdb’s or defined before its use', () => {
  const known = new Set('int int32 int64 uint64 data_ptr code_ptr i387_ext'.split(' '));
  for (const [, id = '', type = ''] of TARGET_XML.matchAll(/ id="(\w+)"|<reg[^>]* type="(\w+)"/g)) {
    if (id !== '') known.add(id);
    else expect(known).toContain(type);
  }
});

test('flags are named by their bit', () => {
  expect(TARGET_XML).toContain('<field name="ZF" start="6" end="6"/>');
  expect(TARGET_XML).toContain('<field name="ID" start="21" end="21"/>');
});
