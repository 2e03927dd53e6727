/** The AMD IOMMU's commands: 16 bytes each, four words (48882, "Commands"). */
import { encodedSize } from './amd-iommu-walk.js';

export const COMMAND_SIZE = 16;

/** The IOMMU as commands act on it. */
export interface CommandTarget {
  /** Stores 8 bytes; false if the write fails. */
  store(address: bigint, data: Uint8Array): boolean;
  completionInterrupt(): void;
  invalidateDevice(device: number): void;
  /** Invalidates translations of a domain. `low`, `high`: the last words of the command ({@link invalidatedRange}). */
  invalidatePages(domain: number, low: number, high: number): void;
  invalidateAll(): void;
}

type Words = readonly [number, number, number, number];

interface Command {
  readonly name: string;
  /** The bits of each word that may be set, without the code (bits 31:28 of the second word). */
  readonly known: Words;
  /** Runs the command of four words; false if a memory access of the command fails. */
  run(w0: number, w1: number, w2: number, w3: number, target: CommandTarget): boolean;
}

/** COMPLETION_WAIT: s, i, f, the store address in bits 51:3 and the data. */
const WAIT = { s: 1, i: 2, addressLow: 0xffff_fff8, addressHigh: 0xf_ffff } as const;
/** INVALIDATE_IOMMU_PAGES: S, PDE, the address from bit 12 on. GN needs guest translation, which is not modelled. */
const PAGES = { S: 1, PDE: 2, address: 0xffff_f000 } as const;
const ID = 0xffff;
const ALL = 0xffff_ffff;

const wide = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

/** The range of INVALIDATE_IOMMU_PAGES: `size` bytes from `address`; a size of 2^64 is the whole address space. */
export function invalidatedRange(low: number, high: number): { address: bigint; size: bigint } {
  const address = wide(low & PAGES.address, high);
  const size = (low & PAGES.S) === 0 ? 0x1000n : encodedSize(address);
  return { address: address & ~(size - 1n), size };
}

/** Commands by code. Commands that need features which this IOMMU lacks are illegal, as are unknown ones. */
export const COMMANDS: Readonly<Record<number, Command>> = {
  1: {
    name: 'COMPLETION_WAIT',
    known: [ALL, WAIT.addressHigh, ALL, ALL],
    run: (w0, w1, w2, w3, target) => {
      if ((w0 & WAIT.s) !== 0) {
        const data = new Uint8Array(8);
        new DataView(data.buffer).setBigUint64(0, wide(w2, w3), true);
        const at = wide(w0 & WAIT.addressLow, w1 & WAIT.addressHigh);
        if (!target.store(at, data)) return false;
      }
      if ((w0 & WAIT.i) !== 0) target.completionInterrupt();
      return true;
    },
  },
  2: {
    name: 'INVALIDATE_DEVTAB_ENTRY',
    known: [ID, 0, 0, 0],
    run: (w0, _w1, _w2, _w3, target) => {
      target.invalidateDevice(w0 & ID);
      return true;
    },
  },
  3: {
    name: 'INVALIDATE_IOMMU_PAGES',
    known: [0, ID, PAGES.S | PAGES.PDE | PAGES.address, ALL],
    run: (_w0, w1, w2, w3, target) => {
      target.invalidatePages(w1 & ID, w2, w3);
      return true;
    },
  },
  // Interrupt tables are not cached, since interrupts are not remapped by the model.
  5: { name: 'INVALIDATE_INTERRUPT_TABLE', known: [ID, 0, 0, 0], run: () => true },
  8: {
    name: 'INVALIDATE_IOMMU_ALL',
    known: [0, 0, 0, 0],
    run: (_w0, _w1, _w2, _w3, target) => {
      target.invalidateAll();
      return true;
    },
  },
};

/** The outcome of a command. */
export type CommandResult = 'done' | 'illegal' | 'failed';

/** Runs the command at an offset; one with an unknown code or a reserved bit set is illegal and does nothing. */
export function runCommand(view: DataView, at: number, target: CommandTarget): CommandResult {
  const w0 = view.getUint32(at, true);
  const second = view.getUint32(at + 4, true);
  const w1 = second & 0x0fff_ffff;
  const w2 = view.getUint32(at + 8, true);
  const w3 = view.getUint32(at + 12, true);
  const command = COMMANDS[second >>> 28];
  if (command === undefined) return 'illegal';
  const { known } = command;
  const unknown = (w0 & ~known[0]) | (w1 & ~known[1]) | (w2 & ~known[2]) | (w3 & ~known[3]);
  if (unknown !== 0) return 'illegal';
  return command.run(w0, w1, w2, w3, target) ? 'done' : 'failed';
}
