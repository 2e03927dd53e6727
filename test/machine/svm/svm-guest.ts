/** A hand-made guest for tests: a host on its own tables, a VMCB, nested tables, and the guest's code and data. */
import { KEY_HOST, KEY_PLAIN, pa, va, type KeyId } from '../../../src/machine/address.js';
import { ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import { isFault } from '../../../src/machine/cpu/cpu.js';
import type { CpuModel } from '../../../src/machine/cpu/cpuid.js';
import { Machine } from '../../../src/machine/machine.js';
import { MSR } from '../../../src/machine/cpu/msr.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import {
  INTERCEPT,
  segmentField,
  VMCB_CONTROL,
  VMCB_SAVE,
  VmcbView,
  type VmcbField,
} from '../../../src/machine/svm/vmcb.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';

export const C = 1n << 47n;
export const P = 1n;
export const RW = 2n;
export const US = 4n;
export const ALL = P | RW | US;
const PS = 0x80n;

/** Addresses in the host's memory. */
export const AT = {
  pgd: 0x1_0000,
  pud: 0x1_1000,
  hsave: 0x2_0000,
  vmcb: 0x2_1000,
  npgd: 0x3_0000,
  npud: 0x3_1000,
  npmd: 0x3_2000,
  npte: 0x3_3000,
  /** Guest page n is host page `guest` + n. */
  guest: 0x10_0000,
} as const;

export const CODE = 0x1000;
export const FROM = 0x2000;
export const TO = 0x3000;

/** mov si, FROM; mov di, TO; mov cx, 16; rep movsb; hlt — with operands of 16 bits. */
export const COPY_CODE = Uint8Array.of(
  ...[0xbe, 0x00, 0x20],
  ...[0xbf, 0x00, 0x30],
  ...[0xb9, 0x10, 0x00],
  ...[0xf3, 0xa4],
  0xf4,
);
export const DATA = Uint8Array.from({ length: 16 }, (_, i) => 0x40 + i);

export interface Setup {
  readonly model?: CpuModel;
  /** SYSCFG[23]. */
  readonly encryption?: boolean;
  /** C-bits: of the address in rAX, of nCR3, of each nested level's entries. */
  readonly c?: {
    readonly vmcb?: boolean;
    readonly hsave?: boolean;
    readonly root?: boolean;
    readonly pgd?: boolean;
    readonly pud?: boolean;
    readonly pmd?: boolean;
    readonly pte?: boolean;
  };
  /** Keys under which the host writes each structure. */
  readonly key?: {
    readonly vmcb?: KeyId;
    readonly npgd?: KeyId;
    readonly npud?: KeyId;
    readonly npmd?: KeyId;
    readonly npte?: KeyId;
    readonly pages?: KeyId;
  };
  readonly code?: Uint8Array;
  /** Size of the cache in bytes. */
  readonly cache?: number;
  /** Flags of the nested leaves, by page number. */
  readonly leaf?: (page: number) => bigint;
}

/** A host in long mode with SVM on, and a guest in real mode with its RIP at {@link CODE}. */
export class GuestMachine {
  readonly machine: Machine;
  readonly cpu;
  private readonly setup: Setup;

  constructor(setup: Setup = {}) {
    this.setup = setup;
    this.machine = new Machine({
      model: setup.model ?? ZEN1,
      cpus: 1,
      ram: [{ base: 0, size: 0x100_0000 }],
      mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
      cache: { size: setup.cache ?? 32 * 1024, ways: 8 },
      engine: { mode: 'XEX', seed: 'svm', cipher: nodeCipher, lazy: true },
      syscfgMemEncrypt: setup.encryption ?? false,
    });
    [this.cpu] = this.machine.cpus;
    this.hostTables();
    this.put(AT.hsave, new Uint8Array(4096));
    this.nestedTables();
    this.put(AT.guest + CODE, setup.code ?? COPY_CODE, setup.key?.pages);
    this.put(AT.guest + FROM, DATA, setup.key?.pages);
    this.put(AT.guest + TO, new Uint8Array(16), setup.key?.pages);
    this.edit(() => undefined);
    this.wrmsr(MSR.EFER, 0x1500n);
    this.wrmsr(MSR.VM_HSAVE_PA, BigInt(AT.hsave) | this.bit('hsave'));
  }

  get vmcbAddress(): bigint {
    return BigInt(AT.vmcb) | this.bit('vmcb');
  }

  /** Writes a VMCB of a real-mode guest, after `change`. */
  edit(change: (view: VmcbView) => void): this {
    const view = new VmcbView(new Uint8Array(4096));
    view.set(
      VMCB_CONTROL.INTERCEPT_MISC,
      INTERCEPT.VMRUN | INTERCEPT.HLT | INTERCEPT.VMMCALL | INTERCEPT.SHUTDOWN,
    );
    view.set(VMCB_CONTROL.GUEST_ASID, 1n);
    view.set(VMCB_CONTROL.NP_ENABLE, 1n);
    view.set(VMCB_CONTROL.N_CR3, BigInt(AT.npgd) | this.bit('root'));
    view.set(VMCB_SAVE.EFER, 0x1000n);
    view.set(VMCB_SAVE.CR0, 0x10n);
    view.set(VMCB_SAVE.RFLAGS, 2n);
    view.set(VMCB_SAVE.RIP, BigInt(CODE));
    view.set(VMCB_SAVE.G_PAT, 0x0007_0406_0007_0406n);
    for (const name of ['ES', 'CS', 'SS', 'DS'] as const) {
      view.set(segmentField(name, 'limit'), 0xffffn);
    }
    change(view);
    this.put(AT.vmcb, view.bytes, this.setup.key?.vmcb);
    return this;
  }

  run(rax: bigint = this.vmcbAddress): { code: bigint; info1: bigint; info2: bigint } {
    const result = this.cpu.vmrun(rax);
    if (!('exit' in result)) throw new Error(JSON.stringify(result, (_, v) => String(v)));
    return result.exit;
  }

  /** A field of the VMCB in memory. */
  vmcb(field: VmcbField, key: KeyId = this.setup.key?.vmcb ?? KEY_PLAIN): bigint {
    return new VmcbView(this.get(AT.vmcb, 4096, key)).get(field);
  }

  put(at: number, bytes: Uint8Array, key: KeyId = KEY_PLAIN): void {
    this.machine.dmaWrite(pa(at), bytes, key);
  }
  get(at: number, length: number, key: KeyId = KEY_PLAIN): Uint8Array {
    return this.machine.dmaRead(pa(at), length, key);
  }
  /** Guest memory, read under the key of the nested leaves. */
  guest(gpa: number, length: number, key: KeyId = this.setup.key?.pages ?? KEY_PLAIN): Uint8Array {
    return this.get(AT.guest + gpa, length, key);
  }

  wrmsr(msr: number, value: bigint): void {
    const fault = this.cpu.wrmsr(msr, value);
    if (isFault(fault)) throw new Error(fault.why);
  }

  private bit(which: keyof NonNullable<Setup['c']>): bigint {
    return this.setup.c?.[which] === true ? C : 0n;
  }

  /** The host's tables: its first GiB as one page without the C-bit. */
  private hostTables(): void {
    const pgd = new BigUint64Array(512);
    pgd[0] = BigInt(AT.pud) | ALL;
    const pud = new BigUint64Array(512);
    pud[0] = ALL | PS;
    this.put(AT.pgd, new Uint8Array(pgd.buffer));
    this.put(AT.pud, new Uint8Array(pud.buffer));
    this.cpu.enterLongMode(BigInt(AT.pgd));
    this.cpu.rsp = va(0x8000);
  }

  /** Nested tables: guest pages 0 to 15 are host pages from {@link AT.guest} on. */
  nestedTables(): void {
    const { key, leaf = () => ALL } = this.setup;
    const one = (value: bigint): Uint8Array => {
      const table = new BigUint64Array(512);
      table[0] = value;
      return new Uint8Array(table.buffer);
    };
    this.put(AT.npgd, one(BigInt(AT.npud) | ALL | this.bit('pgd')), key?.npgd);
    this.put(AT.npud, one(BigInt(AT.npmd) | ALL | this.bit('pud')), key?.npud);
    this.put(AT.npmd, one(BigInt(AT.npte) | ALL | this.bit('pmd')), key?.npmd);
    const ptes = new BigUint64Array(512);
    for (let page = 0; page < 16; page++) {
      ptes[page] = BigInt(AT.guest + page * 4096) | leaf(page) | this.bit('pte');
    }
    this.put(AT.npte, new Uint8Array(ptes.buffer), key?.npte);
  }
}

export { KEY_HOST, KEY_PLAIN };
