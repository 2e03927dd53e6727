/**
 * Instructions with operands and results by hand from the manual (APM vol. 3), of src/x86/alu.ts, bits.ts, control-flow.ts,
 * exchange.ts, moves.ts, multiply.ts, shifts.ts, stack.ts and strings.ts. Flags that an instruction leaves undefined are
 * not in the rows: `flags` has those of `defined`, by default all six.
 */
import { describe, expect, test } from '@jest/globals';
import type { GeneralRegister } from '../../src/machine/cpu/registers.js';
import { DATA, Program, STACK, type Registers } from './program.js';

const ONES = 0xffff_ffff_ffff_ffffn;
const CF = 1;
const ALL = 0x8d5;

interface Row {
  readonly name: string;
  readonly code: string;
  readonly in?: Registers;
  readonly before?: number;
  readonly out: Registers;
  readonly flags?: string;
  readonly defined?: string;
}

function check({ code, in: registers, before, out, flags, defined = 'CPAZSO' }: Row): void {
  const program = new Program(code, registers, before);
  expect(program.run()).toBe('halt');
  expect(program.exception).toBeUndefined();
  for (const [name, value] of Object.entries(out)) {
    expect([name, program.reg(name as GeneralRegister).toString(16)]).toEqual([
      name,
      BigInt.asUintN(64, value).toString(16),
    ]);
  }
  if (flags === undefined) return;
  expect([...program.flags].filter((each) => defined.includes(each)).join('')).toBe(flags);
}

const rows: readonly Row[] = [
  // ADD, ADC
  {
    name: 'ADD of 64 bits carries out of bit 63',
    code: '48 01 d8',
    in: { rax: ONES, rbx: 1n },
    out: { rax: 0n },
    flags: 'CPAZ',
  },
  {
    name: 'ADD of 64 bits carries from bit 31 to 32',
    code: '48 01 d8',
    in: { rax: 0xffff_ffffn, rbx: 1n },
    out: { rax: 0x1_0000_0000n },
    flags: 'PA',
  },
  {
    name: 'ADD of 64 bits overflows to a negative sum',
    code: '48 01 d8',
    in: { rax: 0x7fff_ffff_ffff_ffffn, rbx: 1n },
    out: { rax: 1n << 63n },
    flags: 'PASO',
  },
  {
    name: 'ADD of 32 bits clears bits 63:32',
    code: '01 d8',
    in: { rax: ONES, rbx: 2n },
    out: { rax: 1n },
    flags: 'CA',
  },
  {
    name: 'ADD of 16 bits leaves bits 63:16',
    code: '66 01 d8',
    in: { rax: 0x1234_5678_9abc_ffffn, rbx: 1n },
    out: { rax: 0x1234_5678_9abc_0000n },
    flags: 'CPAZ',
  },
  {
    name: 'ADD of 8 bits leaves bits 63:8',
    code: '00 d8',
    in: { rax: 0x1180n, rbx: 0x80n },
    out: { rax: 0x1100n },
    flags: 'CPZO',
  },
  {
    name: 'ADD of AH and BH',
    code: '00 fc',
    in: { rax: 0x7f11n, rbx: 0x0122n },
    out: { rax: 0x8011n },
    flags: 'ASO',
  },
  {
    name: 'ADD to SIL with REX',
    code: '40 80 c6 01',
    in: { rsi: 0xffn },
    out: { rsi: 0n },
    flags: 'CPAZ',
  },
  {
    name: 'ADC with CF',
    code: '48 11 d8',
    in: { rax: ONES, rbx: 0n },
    before: CF,
    out: { rax: 0n },
    flags: 'CPAZ',
  },
  {
    name: 'ADC of two maximal values with CF',
    code: '48 11 d8',
    in: { rax: ONES, rbx: ONES },
    before: CF,
    out: { rax: ONES },
    flags: 'CPAS',
  },
  {
    name: 'ADC of 8 bits with CF',
    code: '14 ff',
    in: { rax: 0n },
    before: CF,
    out: { rax: 0n },
    flags: 'CPAZ',
  },
  // SUB, SBB, CMP, NEG
  {
    name: 'SUB borrows from all 64 bits',
    code: '48 29 d8',
    in: { rax: 0n, rbx: 1n },
    out: { rax: ONES },
    flags: 'CPAS',
  },
  {
    name: 'SUB of 32 bits with overflow',
    code: '29 d8',
    in: { rax: 0x8000_0000n, rbx: 1n },
    out: { rax: 0x7fff_ffffn },
    flags: 'PAO',
  },
  {
    name: 'SBB of a register with itself is −CF',
    code: '48 19 c0',
    in: { rax: 5n },
    before: CF,
    out: { rax: ONES },
    flags: 'CPAS',
  },
  {
    name: 'SBB with CF and the largest subtrahend',
    code: '48 19 d8',
    in: { rax: 0n, rbx: ONES },
    before: CF,
    out: { rax: 0n },
    flags: 'CPAZ',
  },
  {
    name: 'CMP changes flags only',
    code: '48 39 d8',
    in: { rax: 5n, rbx: 5n },
    out: { rax: 5n },
    flags: 'PZ',
  },
  {
    name: 'CMP with a sign-extended byte',
    code: '48 83 f8 ff',
    in: { rax: ONES },
    out: { rax: ONES },
    flags: 'PZ',
  },
  { name: 'NEG of 0 clears CF', code: '48 f7 d8', in: { rax: 0n }, out: { rax: 0n }, flags: 'PZ' },
  {
    name: 'NEG of the least value is itself',
    code: '48 f7 d8',
    in: { rax: 1n << 63n },
    out: { rax: 1n << 63n },
    flags: 'CPSO',
  },
  { name: 'NEG of AL', code: 'f6 d8', in: { rax: 1n }, out: { rax: 0xffn }, flags: 'CPAS' },
  // Logic
  {
    name: 'AND clears CF and OF',
    code: '48 21 d8',
    in: { rax: 0xf0n, rbx: 0x3cn },
    before: ALL,
    out: { rax: 0x30n },
    flags: 'P',
    defined: 'CPZSO',
  },
  {
    name: 'XOR of a register with itself',
    code: '31 c0',
    in: { rax: ONES },
    before: ALL,
    out: { rax: 0n },
    flags: 'PZ',
    defined: 'CPZSO',
  },
  {
    name: 'OR of a negative value',
    code: '48 09 d8',
    in: { rax: 1n << 63n, rbx: 1n },
    out: { rax: (1n << 63n) | 1n },
    flags: 'S',
    defined: 'CPZSO',
  },
  {
    name: 'TEST changes flags only',
    code: '84 c0',
    in: { rax: 0x80n },
    out: { rax: 0x80n },
    flags: 'S',
    defined: 'CPZSO',
  },
  {
    name: 'NOT changes no flags',
    code: '48 f7 d0',
    in: { rax: 0n },
    before: CF,
    out: { rax: ONES },
    flags: 'C',
  },
  // INC, DEC
  {
    name: 'INC leaves CF',
    code: '48 ff c0',
    in: { rax: ONES },
    before: CF,
    out: { rax: 0n },
    flags: 'CPAZ',
  },
  {
    name: 'INC without CF does not set it',
    code: 'ff c0',
    in: { rax: 0xffff_ffffn },
    out: { rax: 0n },
    flags: 'PAZ',
  },
  { name: 'INC overflows', code: 'fe c0', in: { rax: 0x7fn }, out: { rax: 0x80n }, flags: 'ASO' },
  {
    name: 'DEC of 0 leaves CF',
    code: '48 ff c8',
    in: { rax: 0n },
    out: { rax: ONES },
    flags: 'PAS',
  },
  {
    name: 'DEC of the least value overflows',
    code: 'ff c8',
    in: { rax: 0x8000_0000n },
    out: { rax: 0x7fff_ffffn },
    flags: 'PAO',
  },
  // Shifts and rotates
  {
    name: 'SHL by 1 moves bit 63 to CF',
    code: '48 d1 e0',
    in: { rax: (1n << 63n) | 1n },
    out: { rax: 2n },
    flags: 'CO',
    defined: 'CPZSO',
  },
  {
    name: 'SHL by 36 of 64 bits',
    code: '48 c1 e0 24',
    in: { rax: 0x1_8000_0001n },
    out: { rax: 0x10_0000_0000n },
    flags: 'P',
    defined: 'PZS',
  },
  {
    name: 'a masked count of 0 changes no flag',
    code: 'd3 e0',
    in: { rax: 5n, rcx: 32n },
    before: ALL,
    out: { rax: 5n },
    flags: 'CPAZSO',
  },
  {
    name: 'a shift by 0 of 32 bits clears bits 63:32',
    code: 'd3 e0',
    in: { rax: ONES, rcx: 0n },
    out: { rax: 0xffff_ffffn },
  },
  {
    name: 'SHR by 1: OF is the old bit 63',
    code: '48 d1 e8',
    in: { rax: (1n << 63n) | 1n },
    out: { rax: 1n << 62n },
    flags: 'CPO',
    defined: 'CPZSO',
  },
  {
    name: 'SHR by 32 of 64 bits: CF is bit 31',
    code: '48 c1 e8 20',
    in: { rax: 0x1234_5678_8000_0000n },
    out: { rax: 0x1234_5678n },
    flags: 'CP',
    defined: 'CPZS',
  },
  {
    name: 'SAR by 63',
    code: '48 c1 f8 3f',
    in: { rax: 1n << 63n },
    out: { rax: ONES },
    flags: 'PS',
    defined: 'CPZS',
  },
  {
    name: 'SAR by 32: CF is bit 31',
    code: '48 c1 f8 20',
    in: { rax: 0x8000_0000_8000_0000n },
    out: { rax: 0xffff_ffff_8000_0000n },
    flags: 'CPS',
    defined: 'CPZS',
  },
  {
    name: 'SAR of AL',
    code: 'd0 f8',
    in: { rax: 0x81n },
    out: { rax: 0xc0n },
    flags: 'CPS',
    defined: 'CPZSO',
  },
  {
    name: 'ROL of AL by 4',
    code: 'c0 c0 04',
    in: { rax: 0x1_12n },
    out: { rax: 0x1_21n },
    flags: 'C',
    defined: 'C',
  },
  {
    name: 'ROR of 64 bits by 33',
    code: '48 c1 c8 21',
    in: { rax: 1n },
    out: { rax: 1n << 31n },
    flags: '',
    defined: 'C',
  },
  {
    name: 'ROL of 16 bits by its size sets CF from bit 0',
    code: '66 c1 c0 10',
    in: { rax: 1n },
    out: { rax: 1n },
    flags: 'C',
    defined: 'C',
  },
  {
    name: 'RCL by 1 moves CF to bit 0',
    code: '48 d1 d0',
    in: { rax: 1n << 63n },
    before: CF,
    out: { rax: 1n },
    flags: 'CO',
    defined: 'CO',
  },
  {
    name: 'RCR of 8 bits by 1',
    code: 'd0 d8',
    in: { rax: 1n },
    before: CF,
    out: { rax: 0x80n },
    flags: 'CO',
    defined: 'CO',
  },
  {
    name: 'SHLD of 64 bits by 4',
    code: '48 0f a4 d8 04',
    in: { rax: 0x1234_5678_9abc_def0n, rbx: 0xf000_0000_0000_0000n },
    out: { rax: 0x2345_6789_abcd_ef0fn },
    flags: 'CP',
    defined: 'CPZS',
  },
  {
    name: 'SHRD of 32 bits by CL',
    code: '0f ad d8',
    in: { rax: 1n, rbx: 1n, rcx: 1n },
    out: { rax: 0x8000_0000n },
    flags: 'CPSO',
    defined: 'CPZSO',
  },
  // Bits
  {
    name: 'BT of bit 63',
    code: '48 0f a3 d8',
    in: { rax: 1n << 63n, rbx: 63n },
    out: { rax: 1n << 63n },
    flags: 'C',
    defined: 'C',
  },
  {
    name: 'BTS of a register is modulo its size',
    code: '0f ab d8',
    in: { rax: 0n, rbx: 33n },
    out: { rax: 2n },
    flags: '',
    defined: 'C',
  },
  {
    name: 'BTR of bit 40',
    code: '48 0f ba f0 28',
    in: { rax: ONES },
    out: { rax: ONES ^ (1n << 40n) },
    flags: 'C',
    defined: 'C',
  },
  {
    name: 'BSF',
    code: '48 0f bc c3',
    in: { rbx: 1n << 40n },
    out: { rax: 40n },
    flags: '',
    defined: 'Z',
  },
  {
    name: 'BSF of 0 leaves the destination',
    code: '48 0f bc c3',
    in: { rax: 7n, rbx: 0n },
    out: { rax: 7n },
    flags: 'Z',
    defined: 'Z',
  },
  {
    name: 'BSR',
    code: '48 0f bd c3',
    in: { rbx: 0x100n },
    out: { rax: 8n },
    flags: '',
    defined: 'Z',
  },
  {
    name: 'TZCNT without BMI is BSF',
    code: 'f3 0f bc c3',
    in: { rax: 7n, rbx: 0n },
    out: { rax: 7n },
    flags: 'Z',
    defined: 'Z',
  },
  // Multiplication and division
  {
    name: 'MUL of 64 bits',
    code: '48 f7 e3',
    in: { rax: ONES, rbx: ONES },
    out: { rax: 1n, rdx: ONES - 1n },
    flags: 'CO',
    defined: 'CO',
  },
  {
    name: 'MUL of 32 bits without an upper half',
    code: 'f7 e3',
    in: { rax: 0xffffn, rbx: 2n, rdx: ONES },
    out: { rax: 0x1_fffen, rdx: 0n },
    flags: '',
    defined: 'CO',
  },
  {
    name: 'IMUL of 64 bits, one operand',
    code: '48 f7 eb',
    in: { rax: ONES, rbx: 2n },
    out: { rax: ONES - 1n, rdx: ONES },
    flags: '',
    defined: 'CO',
  },
  {
    name: 'IMUL of 64 bits, three operands',
    code: '48 6b c3 f6',
    in: { rbx: 3n },
    out: { rax: -30n },
    flags: '',
    defined: 'CO',
  },
  {
    name: 'IMUL of 32 bits that does not fit',
    code: '0f af c3',
    in: { rax: 0x10000n, rbx: 0x10000n },
    out: { rax: 0n },
    flags: 'CO',
    defined: 'CO',
  },
  {
    name: 'MUL of AL',
    code: 'f6 e3',
    in: { rax: 0x1_00ffn, rbx: 0xffn },
    out: { rax: 0x1_fe01n },
    flags: 'CO',
    defined: 'CO',
  },
  {
    name: 'DIV of 128 by 64 bits',
    code: '48 f7 f3',
    in: { rdx: 1n, rax: 0n, rbx: 3n },
    out: { rax: 0x5555_5555_5555_5555n, rdx: 1n },
  },
  {
    name: 'DIV of a value above 2^53',
    code: '48 f7 f3',
    in: { rdx: 0n, rax: ONES, rbx: 10n },
    out: { rax: ONES / 10n, rdx: 5n },
  },
  {
    name: 'DIV just below 2^52',
    code: '48 f7 f3',
    in: { rdx: 0n, rax: (1n << 52n) - 1n, rbx: 1n << 20n },
    out: { rax: (1n << 32n) - 1n, rdx: (1n << 20n) - 1n },
  },
  {
    name: 'IDIV truncates towards zero',
    code: '48 f7 fb',
    in: { rdx: ONES, rax: -7n, rbx: 2n },
    out: { rax: -3n, rdx: -1n },
  },
  {
    name: 'DIV of AX by BL',
    code: 'f6 f3',
    in: { rax: 0x1_0105n, rbx: 0x10n },
    out: { rax: 0x1_0510n },
  },
  // Moves and extensions
  {
    name: 'MOV of a 32-bit register clears bits 63:32',
    code: '89 d8',
    in: { rax: ONES, rbx: 5n },
    out: { rax: 5n },
  },
  {
    name: 'MOV of an immediate to 64 bits is sign-extended',
    code: '48 c7 c0 00 00 00 80',
    out: { rax: 0xffff_ffff_8000_0000n },
  },
  {
    name: 'MOV of 64 immediate bits',
    code: '48 b8 88 77 66 55 44 33 22 11',
    out: { rax: 0x1122_3344_5566_7788n },
  },
  { name: 'MOVZX of AH', code: '0f b6 c4', in: { rax: 0x8001n }, out: { rax: 0x80n } },
  {
    name: 'MOVSX of 8 to 64 bits',
    code: '48 0f be c3',
    in: { rbx: 0x80n },
    out: { rax: 0xffff_ffff_ffff_ff80n },
  },
  {
    name: 'MOVSXD',
    code: '48 63 c3',
    in: { rbx: 0x8000_0000n },
    out: { rax: 0xffff_ffff_8000_0000n },
  },
  {
    name: 'CMOVcc that does not move clears bits 63:32 of 32',
    code: '0f 44 c3',
    in: { rax: ONES, rbx: 1n },
    out: { rax: 0xffff_ffffn },
  },
  {
    name: 'CMOVcc that moves',
    code: '48 0f 42 c3',
    in: { rax: 1n, rbx: ONES },
    before: CF,
    out: { rax: ONES },
  },
  {
    name: 'SETcc',
    code: '0f 92 c0',
    in: { rax: ONES },
    before: CF,
    out: { rax: 0xffff_ffff_ffff_ff01n },
  },
  {
    name: 'LEA with an index and a scale wraps',
    code: '48 8d 44 58 08',
    in: { rax: ONES, rbx: 1n << 62n },
    out: { rax: (1n << 63n) + 7n },
  },
  {
    name: 'LEA of 32 bits truncates',
    code: '8d 04 58',
    in: { rax: 0xffff_ffffn, rbx: 1n },
    out: { rax: 1n },
  },
  { name: 'LEA relative to RIP', code: '48 8d 05 10 00 00 00', out: { rax: 0x10_0017n } },
  { name: 'XCHG', code: '48 93', in: { rax: 1n, rbx: 2n }, out: { rax: 2n, rbx: 1n } },
  {
    name: 'BSWAP of 64 bits',
    code: '48 0f c8',
    in: { rax: 0x0102_0304_0506_0708n },
    out: { rax: 0x0807_0605_0403_0201n },
  },
  {
    name: 'BSWAP of 32 bits',
    code: '0f c8',
    in: { rax: (ONES << 32n) | 0x0102_0304n },
    out: { rax: 0x0403_0201n },
  },
  { name: 'CDQE', code: '48 98', in: { rax: 0x8000_0000n }, out: { rax: 0xffff_ffff_8000_0000n } },
  { name: 'CWDE', code: '98', in: { rax: (ONES << 16n) | 0x8000n }, out: { rax: 0xffff_8000n } },
  { name: 'CQO', code: '48 99', in: { rax: 1n << 63n }, out: { rdx: ONES } },
  {
    name: 'CDQ clears bits 63:32 of RDX',
    code: '99',
    in: { rax: 1n, rdx: ONES },
    out: { rdx: 0n },
  },
  {
    name: 'XADD',
    code: '48 0f c1 d8',
    in: { rax: 1n, rbx: 2n },
    out: { rax: 3n, rbx: 1n },
    flags: 'P',
  },
  {
    name: 'CMPXCHG that is equal',
    code: '48 0f b1 cb',
    in: { rax: 5n, rbx: 5n, rcx: 9n },
    out: { rax: 5n, rbx: 9n },
    flags: 'PZ',
  },
  {
    name: 'CMPXCHG that differs loads rAX',
    code: '48 0f b1 cb',
    in: { rax: 5n, rbx: 6n, rcx: 9n },
    out: { rax: 6n, rbx: 6n },
    flags: 'CPAS',
  },
  // Measured on an EPYC.
  {
    name: 'CMPXCHG of 32 bits that is equal leaves bits 63:32 of RAX',
    code: '0f b1 cb',
    in: { rax: 0xffff_ffff_0000_0005n, rbx: 5n, rcx: 9n },
    out: { rax: 0xffff_ffff_0000_0005n, rbx: 9n },
  },
  {
    name: 'CMPXCHG of 32 bits that differs leaves bits 63:32 of the destination',
    code: '0f b1 cb',
    in: { rax: 1n, rbx: 0x1234_5678_9abc_def0n, rcx: 9n },
    out: { rax: 0x9abc_def0n, rbx: 0x1234_5678_9abc_def0n },
  },
  {
    name: 'BSF of 32 bits of 0 leaves bits 63:32 of the destination',
    code: '0f bc c3',
    in: { rax: 0x1234_5678_9abc_def0n, rbx: 0n },
    out: { rax: 0x1234_5678_9abc_def0n },
  },
  // Stack and branches
  {
    name: 'PUSH RSP pushes the old value',
    code: '54 58',
    out: { rax: BigInt(STACK), rsp: BigInt(STACK) },
  },
  { name: 'PUSH of a byte is sign-extended', code: '6a ff 58', out: { rax: ONES } },
  {
    name: 'CALL and RET',
    code: 'e8 01 00 00 00 f4 b0 07 c3',
    out: { rax: 7n, rsp: BigInt(STACK) },
  },
  {
    name: 'LEAVE',
    code: '55 48 89 e5 48 83 ec 20 c9',
    in: { rbp: 0x77n },
    out: { rbp: 0x77n, rsp: BigInt(STACK) },
  },
  {
    name: 'PUSH and POP of 16 bits move RSP by 2 and leave bits 63:16',
    code: '66 50 48 89 e1 66 5b',
    in: { rax: 0x1234_5678n, rbx: ONES },
    out: { rbx: 0xffff_ffff_ffff_5678n, rcx: BigInt(STACK - 2), rsp: BigInt(STACK) },
  },
  {
    name: 'POPF of 16 bits takes what PUSH of an immediate left',
    code: '66 68 d5 08 66 9d',
    in: {},
    out: { rsp: BigInt(STACK) },
    flags: 'CPAZSO',
  },
  { name: 'LOOP', code: 'b9 05 00 00 00 ff c0 e2 fc', out: { rax: 5n, rcx: 0n } },
  { name: 'JRCXZ', code: 'e3 02 b0 01', in: { rax: 9n, rcx: 0n }, out: { rax: 9n } },
  {
    name: 'PUSHFQ and POPFQ',
    code: '48 c7 c0 d7 08 00 00 50 9d 9c 5b',
    out: { rbx: 0x8d7n },
    flags: 'CPAZSO',
  },
  { name: 'LAHF', code: '9f', before: 0xd5, out: { rax: 0xd700n } },
  { name: 'CMC', code: 'f5', out: {}, flags: 'C' },
];

test.each(rows)('$name', (row) => {
  check(row);
});

describe('string instructions', () => {
  const text = Uint8Array.from('abcdefgh', (each) => each.charCodeAt(0));
  const at = BigInt(DATA);

  test('REP MOVSB copies upwards and ends behind source and target', () => {
    const program = new Program('f3 a4', { rsi: at, rdi: at + 0x1000n, rcx: 8n });
    program.write(DATA, text);
    expect(program.run()).toBe('halt');
    expect(program.memory(DATA + 0x1000)).toEqual(program.memory(DATA));
    expect([program.reg('rsi'), program.reg('rdi'), program.reg('rcx')]).toEqual([
      at + 8n,
      at + 0x1008n,
      0n,
    ]);
  });

  test('MOVSQ without REP moves both halves', () => {
    const program = new Program('48 a5', { rsi: at, rdi: at + 0x1000n });
    program.write(DATA, text);
    program.run();
    expect(program.memory(DATA + 0x1000)).toEqual([0x6867_6665_6463_6261n]);
  });

  test('REP MOVSB to the next byte repeats the first one', () => {
    const program = new Program('f3 a4', { rsi: at, rdi: at + 1n, rcx: 7n });
    program.write(DATA, text);
    program.run();
    expect(program.memory(DATA)).toEqual([0x6161_6161_6161_6161n]);
  });

  test('REP MOVSQ to an overlapping target repeats the distance', () => {
    const program = new Program('f3 48 a5', { rsi: at, rdi: at + 16n, rcx: 4n });
    program.write(
      DATA,
      Uint8Array.from({ length: 16 }, (_, i) => i),
    );
    program.run();
    const [first, second, ...rest] = program.memory(DATA, 6);
    expect(rest).toEqual([first, second, first, second]);
  });

  test('REP MOVSB downwards', () => {
    const program = new Program('fd f3 a4', { rsi: at + 7n, rdi: at + 8n, rcx: 8n });
    program.write(DATA, text);
    program.run();
    expect(program.memory(DATA + 1)).toEqual([0x6867_6665_6463_6261n]);
    expect(program.reg('rdi')).toBe(at);
  });

  test('REP STOSQ of a value whose bytes differ, across pages', () => {
    const program = new Program('f3 48 ab', { rax: 0x0102n, rdi: at + 0xff8n, rcx: 3n });
    program.run();
    expect(program.memory(DATA + 0xff0, 5)).toEqual(
      [0n, 0x0102n, 0x0102n, 0x0102n, 0n].map((each, i) =>
        i === 0 || i === 4 ? program.memory(DATA + 0xff0 + 8 * i)[0] : each,
      ),
    );
  });

  test('REPNE SCASB stops behind the byte', () => {
    const program = new Program('f2 ae', { rax: 0x63n, rdi: at, rcx: 8n });
    program.write(DATA, text);
    program.run();
    expect([program.reg('rdi'), program.reg('rcx'), program.flags]).toEqual([at + 3n, 5n, 'PZ']);
  });

  test('REPE CMPSB stops behind the first difference', () => {
    const program = new Program('f3 a6', { rsi: at, rdi: at + 0x100n, rcx: 8n });
    program.write(DATA, text);
    program.write(DATA + 0x100, Uint8Array.of(0x61, 0x62, 0x64));
    program.run();
    expect([program.reg('rsi'), program.reg('rcx'), program.flags]).toEqual([at + 3n, 5n, 'CPAS']);
  });

  test('REP with a count of 0 does nothing', () => {
    const program = new Program('f3 aa', { rax: 0n, rdi: 0n, rcx: 0n });
    expect(program.run()).toBe('halt');
    expect(program.reg('rdi')).toBe(0n);
  });
});

describe('bit strings in memory', () => {
  test('BTS with a register offset addresses bits beyond the operand, also before it', () => {
    const program = new Program('48 0f ab 03', { rbx: BigInt(DATA + 0x100), rax: -1n });
    program.write(DATA + 0xf8, new Uint8Array(16));
    program.run();
    expect(program.memory(DATA + 0xf8)).toEqual([1n << 63n]);
  });
});
