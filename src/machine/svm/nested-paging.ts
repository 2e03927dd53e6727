/**
 * Nested paging (APM 15.25): four-level tables of the host translate guest-physical addresses; the walker is the same
 * as for the host's own tables. Each nested table is read under the key that the C-bit of the pointer to it selects
 * (for the root that of nCR3), and the page under that of the nested leaf (APM 7.10.1, 15.25.3). Our choice:
 * translations of a guest are not cached, so that TLB_CONTROL has nothing to flush.
 */
import { translated, va, type KeyId, type Pa } from '../address.js';
import { isFault } from '../cpu/fault.js';
import { rootOf, walk, type PagingContext, type WalkAccess } from '../cpu/mmu.js';
import type { TlbEntry } from '../cpu/tlb.js';
import type { TableReader } from '../types.js';
import { NPF, VMEXIT } from './vmcb.js';

/** A #VMEXIT: the values of EXITCODE, EXITINFO1 and EXITINFO2. */
export interface Vmexit {
  readonly code: bigint;
  readonly info1: bigint;
  readonly info2: bigint;
}

/** Whether a result is a #VMEXIT and not a value. */
export function isVmexit(result: unknown): result is Vmexit {
  return typeof result === 'object' && result !== null && 'code' in result;
}

/** The purpose of a nested translation: the guest's own access, or a read of the guest's tables. */
export type NestedPurpose = 'final' | 'table';

export class NestedPaging {
  private readonly context: PagingContext;

  /** @param host the host's paging at VMRUN: its PAT, EFER.NXE and entry format apply (APM 15.25.3). */
  constructor(
    private readonly reader: TableReader,
    host: PagingContext,
    nCr3: bigint,
  ) {
    this.context = { ...host, ...rootOf(host.format, nCr3) };
  }

  /** The translation of a guest-physical address, with the key of the nested leaf; or the nested page fault. */
  translate(gpa: number, access: WalkAccess, purpose: NestedPurpose): TlbEntry | Vmexit {
    // APM 15.25.5: at the nested level every access of a guest is a user access; a walk of its tables is a write.
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
 * Reads the guest's tables for the walker. After a nested page fault the entry reads as not present and the #VMEXIT is
 * in `exit`, which the caller of the walk checks first.
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
