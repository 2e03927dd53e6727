/** Boots through the kvm step, each base boot run once, and replacements that add the mask as later kernels do. */
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

/** Replacement functions, by name in the kernel's table. */
type Changes = Readonly<Record<string, (...args: never[]) => unknown>>;

/** For each address that the posted series leaves without the mask: a replacement that adds it. */
export const WITH_MASK = {
  vmcb: { 'svm_create_vcpu:vmcb_pa': (page: number) => BigInt(page) | C },
  hsave: { 'svm_hardware_enable:hsave': (area: number) => BigInt(area) | C },
  root: { 'set_tdp_cr3:root': (root: bigint) => root | C },
  /** Not an address given to the hardware, but the mask with which KVM extracts addresses from entries. */
  baseAddress: { PT64_BASE_ADDR_MASK: () => 0x000f_ffff_ffff_f000n & ~C },
} as const satisfies Record<string, Changes>;

/** The replacement that adds the mask to pointers between nested tables. */
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
  readonly sanitize?: boolean;
  readonly changes?: (b: Boot) => readonly Changes[];
}

/** A boot right after the kvm step. */
export function throughKvm({
  stage,
  activate = false,
  set = [],
  sanitize = false,
  changes,
}: Case): Boot {
  const options: Partial<BootOptions> = {
    scenario: scenario('bios-minimal', 'guest=true', 'machine.ram=64MiB', ...set),
    stage,
    activate,
    sanitize,
  };
  const key = JSON.stringify([stage, activate, set, sanitize]);
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

/** Events of the kvm step as `kind value xCOUNT`, in the order of the first of each. */
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

/** Whether each reader got the guest's blob intact, by `name, reader`. */
export function consumed(b: Boot): Record<string, boolean> {
  const { integrity } = b.recorder.snapshot();
  return Object.fromEntries(
    integrity.consumed
      .filter(({ name }) => name.startsWith('guest'))
      .map(({ name, by, intact }) => [`${name}, ${by}`, intact]),
  );
}

/** 64 bits at a physical address, read with `key`, dirty cache lines included. */
export function cached(b: Boot, address: number, key: KeyId): bigint {
  const bytes = b.machine.dmaRead(pa(address), 8, key);
  return new DataView(bytes.buffer).getBigUint64(0, true);
}

/** 64 bits of DRAM, read with `key` after a write-back of the caches. */
export function dram(b: Boot, address: number, key: KeyId): bigint {
  b.machine.cpus[0].wbinvd();
  return cached(b, address, key);
}

export function vmcbPage(b: Boot): number {
  return Number((b.kernel.state.kvm?.vcpu?.vmcbPa ?? 0n) & ~C);
}

export const CR0_OFFSET = VMCB_SAVE.CR0[0];
export const CR3_OFFSET = VMCB_SAVE.CR3[0];
