/**
 * Nested paging (APM 15.25): a guest-physical address goes through four-level tables of the host, read by the same
 * walker as the host's own. Each nested table is read under the key that the C-bit of the pointer above selects, the
 * root's that of nCR3, and the page under that of the nested leaf (APM 7.10.1, 15.25.3). Our choice: translations of a
 * guest are not kept, so that TLB_CONTROL has nothing to drop.
 */
import { translated, va, type KeyId, type Pa } from '../address.js';
import { isFault } from '../cpu/fault.js';
import { rootOf, walk, type PagingContext, type WalkAccess } from '../cpu/mmu.js';
import type { TlbEntry } from '../cpu/tlb.js';
import type { TableReader } from '../types.js';
import { NPF, VMEXIT } from './vmcb.js';

/** A #VMEXIT: what stands in EXITCODE, EXITINFO1 and EXITINFO2. */
export interface Vmexit {
  readonly code: bigint;
  readonly info1: bigint;
  readonly info2: bigint;
}

/** Whether a result is a #VMEXIT and not a value. */
export function isVmexit(result: unknown): result is Vmexit {
  return typeof result === 'object' && result !== null && 'code' in result;
}

/** What a nested translation is for: the guest's own access, or a table of the guest. */
export type NestedPurpose = 'final' | 'table';

export class NestedPaging {
  private readonly context: PagingContext;

  /** @param host the paging of the host as it was at VMRUN: its PAT, EFER.NXE and entry format hold (APM 15.25.3). */
  constructor(
    private readonly reader: TableReader,
    host: PagingContext,
    nCr3: bigint,
  ) {
    this.context = { ...host, ...rootOf(host.format, nCr3) };
  }

  /** Where a guest-physical address is in memory, with the key of the nested leaf; or the nested page fault. */
  translate(gpa: number, access: WalkAccess, purpose: NestedPurpose): TlbEntry | Vmexit {
    // APM 15.25.5: at the nested level every access of a guest is a user's; a walk of its tables is a write.
    const nested: WalkAccess = {
      write: access.write || purpose === 'table',
      user: true,
      fetch: access.fetch && purpose === 'final',
    };
    const entry = walk(this.reader, this.context, va(gpa), nested);
    if (!isFault(entry)) return entry;
    return {
      code: VMEXIT.NPF,
      info1: BigInt(entry.error) | (purpose === 'final' ? NPF.FINAL : NPF.TABLE),
      info2: BigInt(gpa),
    };
  }
}

/**
 * Reads the guest's tables for the walker. A nested page fault makes the entry read as not present and is kept in
 * `exit`: whoever walks looks there first.
 */
export class GuestTables implements TableReader {
  exit: Vmexit | null = null;

  constructor(
    private readonly memory: TableReader,
    private readonly nested: NestedPaging,
  ) {}

  get high(): number {
    return this.exit === null ? this.memory.high : 0;
  }

  readEntry(gpa: Pa, _guestKey: KeyId): number {
    const at = this.at(gpa);
    return at === null ? 0 : this.memory.readEntry(at.pa, at.key);
  }

  setBits(gpa: Pa, _guestKey: KeyId, bits: number): void {
    const at = this.at(gpa);
    if (at !== null) this.memory.setBits(at.pa, at.key, bits);
  }

  private at(gpa: Pa): { pa: Pa; key: KeyId } | null {
    if (this.exit !== null) return null;
    const access = { write: false, user: true, fetch: false };
    const entry = this.nested.translate(gpa, access, 'table');
    if (isVmexit(entry)) {
      this.exit = entry;
      return null;
    }
    return { pa: translated(entry, va(gpa)), key: entry.key };
  }
}
