/** A machine with an IOMMU and no other devices: hand-made tables, written under any key. */
import { pa, type KeyId } from '../../../src/machine/address.js';
import { AmdIommu } from '../../../src/machine/iommu/amd-iommu.js';
import {
  CONTROL,
  IOMMU_REGISTERS,
  type IommuRegister,
} from '../../../src/machine/iommu/amd-iommu-registers.js';
import { ZEN1 } from '../../../src/machine/cpu/cpu-models.js';
import { Machine } from '../../../src/machine/machine.js';
import { MEMTYPE } from '../../../src/machine/types.js';
import { nodeCipher } from '../../../src/node/node-cipher.js';

export const C = 1n << 47n;
export const BASE = 0xfeb8_0000;
export const SELF = 0x0002;
/** Addresses of the structures: a device table of one page, two rings of 256 entries. */
export const AT = {
  table: 0x10_0000,
  commands: 0x11_0000,
  log: 0x12_0000,
  root: 0x20_0000,
} as const;
const RING_256 = 8n << 56n;

export const P = 1n;
export const IR = 1n << 61n;
export const IW = 1n << 62n;
export const level = (n: number): bigint => BigInt(n) << 9n;

export class Bench {
  readonly machine: Machine;
  readonly iommu: AmdIommu;

  /** @param c the C-bit in the addresses in the IOMMU's registers and tables. @param sme whether SYSCFG[23] is set. */
  constructor(
    readonly c = 0n,
    sme = true,
  ) {
    this.machine = new Machine({
      model: ZEN1,
      cpus: 1,
      ram: [{ base: 0, size: 0x400_0000 }],
      mtrr: { enabled: true, default: MEMTYPE.WB, uncached: [] },
      cache: { size: 32 * 1024, ways: 8 },
      engine: { mode: 'XEX', seed: 'iommu', cipher: nodeCipher, lazy: true },
      syscfgMemEncrypt: sme,
    });
    const { hostBridge: upstream } = this.machine;
    this.iommu = this.machine.attach(new AmdIommu({ base: BASE, requester: SELF, upstream }));
  }

  get key(): KeyId {
    return (this.c === 0n ? 0 : 1) as KeyId;
  }

  quad(at: number, value: bigint, key: KeyId = this.key): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    this.machine.dmaWrite(pa(at), bytes, key);
  }
  quadAt(at: number, key: KeyId = this.key): bigint {
    return new DataView(this.machine.dmaRead(pa(at), 8, key).buffer).getBigUint64(0, true);
  }
  clear(at: number, length: number): void {
    this.machine.dmaWrite(pa(at), new Uint8Array(length), this.key);
  }

  reg(name: IommuRegister, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.iommu.mmioWrite(BASE + IOMMU_REGISTERS[name].offset, bytes, 0, 8);
  }
  value(name: IommuRegister): bigint {
    const bytes = new Uint8Array(8);
    this.iommu.mmioRead(BASE + IOMMU_REGISTERS[name].offset, bytes, 0, 8);
    return new DataView(bytes.buffer).getBigUint64(0, true);
  }

  /** Sets the base addresses of its structures and enables it. */
  start(control = CONTROL.IommuEn | CONTROL.EventLogEn | CONTROL.CmdBufEn): this {
    this.clear(AT.table, 4096);
    this.clear(AT.commands, 4096);
    this.clear(AT.log, 4096);
    this.reg('DeviceTableBase', BigInt(AT.table) | this.c);
    this.reg('CommandBufferBase', BigInt(AT.commands) | this.c | RING_256);
    this.reg('EventLogBase', BigInt(AT.log) | this.c | RING_256);
    this.reg('Control', control);
    return this;
  }

  /** Writes a device's table entry. The table of one page reaches device 127. */
  dte(device: number, low: bigint, high = 0n): void {
    this.quad(AT.table + device * 32, low);
    this.quad(AT.table + device * 32 + 8, high);
  }

  /** Writes a command at the tail and advances the tail pointer. */
  command(...words: [number, number, number, number]): void {
    const tail = Number(this.value('CommandBufferTail'));
    const bytes = new Uint8Array(Uint32Array.from(words).buffer);
    this.machine.dmaWrite(pa(AT.commands + tail), bytes, this.key);
    this.reg('CommandBufferTail', BigInt((tail + 16) % 4096));
  }

  /** The event log from head to tail: code, device, domain, flags and address. */
  events(): { code: number; device: number; domain: number; flags: number; address: bigint }[] {
    const list = [];
    const tail = Number(this.value('EventLogTail'));
    for (let at = Number(this.value('EventLogHead')); at !== tail; at = (at + 16) % 4096) {
      const view = new DataView(this.machine.dmaRead(pa(AT.log + at), 16, this.key).buffer);
      list.push({
        code: view.getUint16(6, true) >> 12,
        device: view.getUint16(0, true),
        domain: view.getUint16(4, true),
        flags: view.getUint16(6, true) & 0xfff,
        address: view.getBigUint64(8, true),
      });
    }
    return list;
  }

  read(device: number, bus: bigint, length = 8): Uint8Array | string {
    const out = new Uint8Array(length);
    const result = this.iommu.read(device, bus, out);
    return result === 'ok' ? out : result;
  }
  write(device: number, bus: bigint, ...bytes: number[]): string {
    return this.iommu.write(device, bus, Uint8Array.from(bytes));
  }

  /** A table of `levels` levels that maps one page of 4 KiB, each level's page after the one above it. */
  map(levels: number, iova: bigint, target: bigint, leaf = IR | IW): bigint {
    let table: number = AT.root;
    for (let at = levels; at >= 1; at--) {
      const index = Number((iova >> BigInt(12 + 9 * (at - 1))) & 0x1ffn);
      const next = table + 0x1000;
      const entry =
        at === 1 ? target | leaf | P : BigInt(next) | this.c | level(at - 1) | IR | IW | P;
      this.quad(table + index * 8, entry);
      table = next;
    }
    return BigInt(AT.root) | this.c | level(levels) | IR | IW | P | 2n;
  }
}
