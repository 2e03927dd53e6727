/** Boots up to KVM, each base boot made once, and what a kernel of later years does in their place. */
import {
  KEY_HOST,
  KEY_PLAIN,
  pa,
  type KeyId,
  type Va,
} from '../../../../../src/machine/address.js';
import { VMCB_SAVE } from '../../../../../src/machine/svm/vmcb.js';
import type { Boot, BootOptions, BootSnapshot } from '../../../../../src/sequencer/boot.js';
import { boot, scenario } from '../../../../helpers.js';

export { KEY_HOST, KEY_PLAIN };
export const C = 1n << 47n;

/** What names of the table are replaced by. */
type Changes = Readonly<Record<string, (...args: never[]) => unknown>>;

/** Address by address, what the posted series leaves without the mask. */
export const WITH_MASK = {
  vmcb: { 'svm_create_vcpu:vmcb_pa': (page: number) => BigInt(page) | C },
  hsave: { 'svm_hardware_enable:hsave': (area: number) => BigInt(area) | C },
  root: { 'set_tdp_cr3:root': (root: bigint) => root | C },
  /** Not an address given to the hardware, but the mask that KVM takes addresses out of entries with. */
  baseAddress: { PT64_BASE_ADDR_MASK: () => 0x000f_ffff_ffff_f000n & ~C },
} as const satisfies Record<string, Changes>;

/** The pointers between nested tables with the mask. */
export function pointersWithMask({ kernel }: Boot): Changes {
  const before = kernel.fn['link_shadow_page:pointer'];
  return { 'link_shadow_page:pointer': (spt: Va) => before(spt) | C };
}

const ready = new Map<string, BootSnapshot>();

export interface Case {
  readonly stage: number;
  readonly activate?: boolean;
  /** Settings of the scenario. */
  readonly set?: readonly string[];
  readonly changes?: (b: Boot) => readonly Changes[];
}

/** A boot that has just been through KVM. */
export function throughKvm({ stage, activate = false, set = [], changes }: Case): Boot {
  const options: Partial<BootOptions> = {
    scenario: scenario('bios-minimal', 'guest=true', 'machine.ram=64MiB', ...set),
    stage,
    activate,
  };
  const key = JSON.stringify([stage, activate, set]);
  const b = boot(options);
  const before = ready.get(key);
  if (before === undefined) {
    b.runTo('drivers');
    ready.set(key, b.snapshot());
  } else b.restore(before);
  for (const change of changes?.(b) ?? []) Object.assign(b.kernel.fn, change);
  b.runTo('kvm');
  return b;
}

/** The events of some kinds in the step, in the order of their first: the kind, what it is about, how often. */
export function events(b: Boot, ...kinds: string[]): string[] {
  const step = b.recorder.snapshot().steps.find(({ label }) => label === 'kvm');
  const seen = new Map<string, number>();
  for (const event of step?.events ?? []) {
    const fields = new Map<string, unknown>(Object.entries(event));
    for (const kind of kinds) {
      const what = fields.get(kind === 'vmrun' ? 'exit' : kind);
      if (!fields.has(kind) || typeof what !== 'string') continue;
      const n = Number(fields.get('n') ?? 1);
      seen.set(`${kind} ${what}`, (seen.get(`${kind} ${what}`) ?? 0) + n);
    }
  }
  return [...seen].map(([what, n]) => `${what} x${String(n)}`);
}

/** Who got what was produced: `name by` with true or false. */
export function consumed(b: Boot): Record<string, boolean> {
  const { integrity } = b.recorder.snapshot();
  return Object.fromEntries(
    integrity.consumed
      .filter(({ name }) => name.startsWith('guest'))
      .map(({ name, by, intact }) => [`${name}, ${by}`, intact]),
  );
}

/** 64 bits as a key has them now, caches and all. */
export function cached(b: Boot, address: number, key: KeyId): bigint {
  const bytes = b.machine.dmaRead(pa(address), 8, key);
  return new DataView(bytes.buffer).getBigUint64(0, true);
}

/** 64 bits of DRAM, caches written back. */
export function dram(b: Boot, address: number, key: KeyId): bigint {
  b.machine.cpus[0].wbinvd();
  return cached(b, address, key);
}

export function vmcbPage(b: Boot): number {
  return Number((b.kernel.state.kvm?.vcpu?.vmcbPa ?? 0n) & ~C);
}

export const CR0_OFFSET = VMCB_SAVE.CR0[0];
export const CR3_OFFSET = VMCB_SAVE.CR3[0];
