import { describe, expect, test } from '@jest/globals';
import { KEY_HOST, KEY_PLAIN } from '../../../src/machine/address.js';
import {
  NPF,
  segmentField,
  VMCB_CONTROL,
  VMCB_SAVE,
  VMEXIT,
} from '../../../src/machine/svm/vmcb.js';
import { ALL, AT, C, CODE, DATA, FROM, GuestMachine, P, RW, TO, US } from './svm-guest.js';

const NX = 1n << 63n;
const BIT_43 = 1n << 43n;
const page = (address: number): number => address / 4096;

/** Flags of nested leaves: `flags` for one page, all permissions for the others. */
const but =
  (address: number, flags: bigint) =>
  (n: number): bigint =>
    n === page(address) ? flags : ALL;

describe('a nested page fault', () => {
  test.each([
    ['the code is not mapped', CODE, 0n, 0x14n, CODE],
    ['the source is not mapped', FROM, 0n, 0x4n, FROM],
    ['the target is not mapped', TO, 0n, 0x6n, TO],
    ['the target is read-only', TO, P | US, 0x7n, TO],
    ['the source is the supervisor’s: a guest is a user', FROM, P | RW, 0x5n, FROM],
    ['the code may not be executed', CODE, ALL | NX, 0x15n, CODE],
    ['an entry has a reserved bit', FROM, ALL | BIT_43, 0xdn, FROM],
  ] as const)(
    'at %s reports the cause in EXITINFO1 and the address in EXITINFO2',
    (_why, at, flags, info1, gpa) => {
      const m = new GuestMachine({ encryption: true, leaf: but(at, flags) });
      m.wrmsr(0xc000_0080, 0x1d00n);
      expect(m.run()).toEqual({ code: VMEXIT.NPF, info1: info1 | NPF.FINAL, info2: BigInt(gpa) });
      expect(m.vmcb(VMCB_CONTROL.EXITCODE)).toBe(0x400n);
    },
  );

  test('without EFER.NXE of the host has no fetch bit, and NX is reserved', () => {
    const m = new GuestMachine({ leaf: but(CODE, ALL | NX) });
    expect(m.run()).toMatchObject({ code: VMEXIT.NPF, info1: 0xdn | NPF.FINAL });
  });

  test('in REP MOVSB preserves its progress: the guest continues there', () => {
    const m = new GuestMachine({ leaf: but(0x4000, 0n) });
    m.put(
      AT.guest + CODE,
      Uint8Array.of(0xbe, 0, 0x20, 0xbf, 0xf8, 0x3f, 0xb9, 16, 0, 0xf3, 0xa4, 0xf4),
    );
    expect(m.run()).toEqual({ code: VMEXIT.NPF, info1: 0x6n | NPF.FINAL, info2: 0x4000n });
    expect([m.cpu.rsi, m.cpu.rdi, m.cpu.rcx]).toEqual([0x2008, 0x4000, 8]);
    expect(m.vmcb(VMCB_SAVE.RIP)).toBe(BigInt(CODE + 9));
    expect(m.guest(0x3ff8, 8)).toEqual(DATA.slice(0, 8));
  });
});

test('a guest’s access sets accessed and dirty bits of nested entries as an access of the host does', () => {
  const m = new GuestMachine();
  m.run();
  m.cpu.wbinvd();
  const entry = (gpa: number): bigint => {
    const bytes = m.get(AT.npte + page(gpa) * 8, 8);
    return new DataView(bytes.buffer).getBigUint64(0, true) & 0x60n;
  };
  expect([entry(FROM), entry(TO), entry(0x5000)]).toEqual([0x20n, 0x60n, 0n]);
});

describe('the C-bit of the nested leaf selects the guest page’s key', () => {
  test.each([
    ['set, pages encrypted', true, KEY_HOST],
    ['clear, pages plain', false, KEY_PLAIN],
  ] as const)('%s: the guest reads and writes the host’s data', (_what, pte, pages) => {
    const m = new GuestMachine({ encryption: true, c: { pte }, key: { pages } });
    expect(m.run().code).toBe(VMEXIT.HLT);
    m.cpu.wbinvd();
    expect(m.guest(TO, 16)).toEqual(DATA);
  });

  test.each([
    ['clear, pages encrypted', false, KEY_HOST],
    ['set, pages plain', true, KEY_PLAIN],
  ] as const)(
    '%s: the guest fetches garbage, an invalid opcode without an IDT: a shutdown',
    (_what, pte, pages) => {
      const m = new GuestMachine({ encryption: true, c: { pte }, key: { pages } });
      expect(m.run().code).toBe(VMEXIT.SHUTDOWN);
      m.cpu.wbinvd();
      expect(m.guest(TO, 16)).toEqual(new Uint8Array(16));
    },
  );
});

describe('the C-bit of each nested pointer selects the key of the table below', () => {
  const levels = [
    ['nCR3', 'root', 'npgd'],
    ['the PML4E', 'pgd', 'npud'],
    ['the PDPE', 'pud', 'npmd'],
    ['the PDE', 'pmd', 'npte'],
  ] as const;

  test.each(levels)('%s set, its table encrypted', (_name, c, key) => {
    const m = new GuestMachine({
      encryption: true,
      c: { [c]: true },
      key: { [key]: KEY_HOST },
    });
    expect(m.run().code).toBe(VMEXIT.HLT);
  });

  test.each(levels)(
    '%s clear, its table encrypted: the entries read as garbage',
    (_name, _c, key) => {
      const m = new GuestMachine({ encryption: true, key: { [key]: KEY_HOST } });
      const exit = m.run();
      expect(exit.code).not.toBe(VMEXIT.HLT);
      expect(m.guest(TO, 16)).toEqual(new Uint8Array(16));
    },
  );

  test.each(levels)('%s set, its table plain: the entries read as garbage', (_name, c, _key) => {
    const m = new GuestMachine({ encryption: true, c: { [c]: true } });
    const exit = m.run();
    expect(exit.code).not.toBe(VMEXIT.HLT);
    expect(m.guest(TO, 16)).toEqual(new Uint8Array(16));
  });
});

describe('with SYSCFG[23] clear the C-bit', () => {
  test('in a nested leaf is an address bit: the guest reads all ones there', () => {
    const m = new GuestMachine({ leaf: but(FROM, ALL | C) });
    expect(m.run().code).toBe(VMEXIT.HLT);
    expect(m.guest(TO, 16)).toEqual(new Uint8Array(16).fill(0xff));
  });
});

describe('a guest in long mode', () => {
  /** The guest's own tables in its pages 8 to 11: its first 2 MiB by 4 KiB pages, one to one. */
  function longMode(m: GuestMachine, leaf: (page: number) => bigint = () => ALL): GuestMachine {
    const table = (entries: readonly bigint[]): Uint8Array => {
      const values = new BigUint64Array(512);
      values.set(entries);
      return new Uint8Array(values.buffer);
    };
    m.put(AT.guest + 0x8000, table([0x9000n | ALL]));
    m.put(AT.guest + 0x9000, table([0xa000n | ALL]));
    m.put(AT.guest + 0xa000, table([0xb000n | ALL]));
    m.put(
      AT.guest + 0xb000,
      table(Array.from({ length: 16 }, (_, n) => BigInt(n * 4096) | leaf(n))),
    );
    // mov esi, FROM; mov edi, TO; mov ecx, 16; rep movsb; vmmcall
    const code = [
      0xbe, 0, 0x20, 0, 0, 0xbf, 0, 0x30, 0, 0, 0xb9, 16, 0, 0, 0, 0xf3, 0xa4, 0x0f, 1, 0xd9,
    ];
    m.put(AT.guest + CODE, Uint8Array.from(code));
    return m.edit((view) => {
      view.set(VMCB_SAVE.EFER, 0x1500n);
      view.set(VMCB_SAVE.CR0, 0x8001_0011n);
      view.set(VMCB_SAVE.CR4, 0x20n);
      view.set(VMCB_SAVE.CR3, 0x8000n);
      view.set(segmentField('CS', 'attributes'), 0x29bn);
      view.set(VMCB_CONTROL.INTERCEPT_EXCEPTION, 1n << 14n);
    });
  }

  test('walks its tables at guest-physical addresses, each through the nested tables', () => {
    const m = longMode(new GuestMachine());
    expect(m.run().code).toBe(VMEXIT.VMMCALL);
    expect(m.guest(TO, 16)).toEqual(DATA);
  });

  test('raises #PF for its own tables: EXITINFO1 is the error code, EXITINFO2 the address', () => {
    const m = longMode(new GuestMachine(), (n) => (n === page(TO) ? P | US : ALL));
    expect(m.run()).toEqual({ code: VMEXIT.EXCP0 + 14n, info1: 3n, info2: BigInt(TO) });
  });

  test('has nested faults on its tables reported as user writes, with the table bit', () => {
    const m = longMode(new GuestMachine({ leaf: but(0xa000, P | US) }));
    expect(m.run()).toEqual({ code: VMEXIT.NPF, info1: 0x7n | NPF.TABLE, info2: 0xa000n });
  });

  test('has no C-bit in its tables: it is a bit of the guest-physical address', () => {
    const m = longMode(new GuestMachine({ encryption: true }), (n) =>
      n === page(FROM) ? ALL | C : ALL,
    );
    expect(m.run()).toEqual({
      code: VMEXIT.NPF,
      info1: 0x4n | NPF.FINAL,
      info2: BigInt(FROM) | C,
    });
  });
});
