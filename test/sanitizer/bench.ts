/** A machine with 2 MiB mapped by 4 KiB pages, watched by the sanitizer; no kernel. */
import { KEY_PLAIN, pa, va, type KeyId } from '../../src/machine/address.js';
import { ZEN1 } from '../../src/machine/cpu/cpu-models.js';
import { Machine, type MachineConfig } from '../../src/machine/machine.js';
import { MSR, SYSCFG } from '../../src/machine/cpu/msr.js';
import { MEMTYPE } from '../../src/machine/types.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import type { Annotation } from '../../src/sanitizer/annotations.js';
import type { MaskVariable, OwnedRange, SanitizerHost } from '../../src/sanitizer/host.js';
import { Sanitizer } from '../../src/sanitizer/sanitizer.js';
import type { SanitizerReport } from '../../src/trace/report.js';

export const C_BIT = 1n << 47n;
const PGD = 0x20_0000;
const FLAGS = 0x67n;

export class Bench {
  readonly machine: Machine;
  readonly sanitizer: Sanitizer;
  /** The function that runs. */
  private code = 'start';
  private version = 0;
  step = 'first';
  /** What the code states of its memory, and its masks. */
  annotations: readonly Annotation[] = [];
  masks: MaskVariable[] = [];
  /** Ranges with an owner; the first access that could concern them fixes them. */
  owned: OwnedRange[] = [];

  /** @param encrypted numbers of the pages that are mapped with the C-bit. */
  constructor(encrypted: readonly number[] = [], more: Partial<MachineConfig> = {}) {
    this.machine = new Machine({
      model: ZEN1,
      cpus: 1,
      ram: [{ base: 0, size: 0x400_0000 }],
      mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
      cache: { size: 32 * 1024, ways: 8 },
      engine: { mode: 'XEX', seed: 'sanitizer', cipher: nodeCipher, lazy: true },
      syscfgMemEncrypt: true,
      ...more,
    });
    const host: SanitizerHost = {
      annotations: () => this.annotations,
      cpu: () => 0,
      masks: () => this.masks,
      site: () => ({ in: this.code }),
      version: () => this.version,
      step: () => this.step,
      nameOf: () => undefined,
      owned: () => this.owned,
      rangeText: (_space, start, length) => `${start.toString(16)}+${length.toString(16)}`,
    };
    this.sanitizer = new Sanitizer(this.machine, host);
    this.sanitizer.start();
    const words = new BigUint64Array(4 * 512);
    for (let level = 0; level < 3; level++) {
      words[level * 512] = BigInt(PGD + (level + 1) * 4096) | FLAGS;
    }
    for (let i = 0; i < 512; i++) {
      words[3 * 512 + i] = BigInt(i * 4096) | FLAGS | (encrypted.includes(i) ? C_BIT : 0n);
    }
    this.machine.dmaWrite(pa(PGD), new Uint8Array(words.buffer));
    for (const cpu of this.machine.cpus) cpu.enterLongMode(BigInt(PGD));
  }

  get cpu(): Machine['cpus'][0] {
    return this.machine.cpus[0];
  }

  /** Runs `body` as the code of a function. */
  as(name: string, body: () => void): void {
    this.code = name;
    this.version++;
    body();
  }

  /** The table entry of a page, as a write through no mapping. */
  setEntry(page: number, target: number, more = 0n, flags = FLAGS): void {
    const word = BigUint64Array.of(BigInt(target * 4096) | flags | more);
    this.machine.dmaWrite(pa(PGD + 3 * 4096 + page * 8), new Uint8Array(word.buffer));
  }

  /** Turns SYSCFG[23] of a CPU off. */
  encryptionOff(): void {
    this.cpu.wrmsr(MSR.SYSCFG, this.cpu.msrs.get('SYSCFG') & ~SYSCFG.MemEncryptionModEn);
  }

  /** Bytes that firmware puts into a page. */
  place(page: number, key: KeyId = KEY_PLAIN): void {
    this.machine.dmaWrite(pa(page * 4096), new Uint8Array(4096).fill(0x5a), key);
  }

  store(page: number, offset = 0): void {
    this.cpu.storeU64(va(page * 4096 + offset), 1n);
  }

  load(page: number, offset = 0): void {
    this.cpu.loadU64(va(page * 4096 + offset));
  }

  get reports(): readonly SanitizerReport[] {
    return this.sanitizer.reports();
  }

  /** Rules with the code that was reported and the earlier one. */
  get rules(): string[] {
    return this.reports.map(({ rule, in: by, earlier }) =>
      [rule, by, ...(earlier === undefined ? [] : [earlier.in])].join(' '),
    );
  }
}
