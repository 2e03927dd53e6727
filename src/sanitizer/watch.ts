/** What the rules of the sanitizer share: the machine, the shadow of its memory, and the list of reports. */
import { KEY_PLAIN, LINE_SIZE, pa, type KeyId } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import { behindCaches, readUnder } from '../machine/quiet.js';
import { requestingCpu, type Requester } from '../machine/requester.js';
import type { Origin } from '../machine/types.js';
import type { SanitizerHost, Site } from './host.js';
import { Owned } from './owned.js';
import { Reports, type Found } from './reports.js';
import { Shadow } from './shadow.js';
import { Translations } from './translations.js';
import { deviceName, Writers } from './writers.js';

/** An access to memory, sizes in bytes. */
export interface Access {
  /** `read`, `write`, `fetch` or `page-table entry`. */
  readonly what: string;
  readonly requester: Requester;
  readonly va?: number | undefined;
  readonly start: number;
  readonly length: number;
  readonly key: KeyId;
  readonly origin: Origin;
}

/** The code or device of a report, and its CPU. */
export interface Actor {
  readonly site: Site;
  readonly cpu: number | undefined;
}

const NONE = new Owned([]);

export class Watch {
  readonly shadow = new Shadow();
  readonly writers: Writers;
  readonly translations = new Translations();
  readonly found: Reports;
  /** The first address that has the C-bit of the part in it; Infinity if it has none. */
  readonly cBitAddress: number;
  private ownedRanges: Owned | null = null;
  /** Checks that the next event has to wait for. */
  private due: (() => void)[] = [];

  constructor(
    readonly machine: Machine,
    readonly host: SanitizerHost,
  ) {
    this.writers = new Writers(host, (requester, origin) => this.device(requester, origin));
    this.found = new Reports(host);
    const { sme } = machine.config.model;
    this.cBitAddress = sme === undefined ? Infinity : 2 ** sme.cBit;
  }

  /** Memory with an owner; none before memory is filled. */
  get owned(): Owned {
    if (this.ownedRanges === null) {
      const ranges = this.host.owned();
      if (ranges.length === 0) return NONE;
      this.ownedRanges = new Owned(ranges);
    }
    return this.ownedRanges;
  }

  /** Whether the line of an address is cached under a key. */
  isCached(address: number, key: KeyId): boolean {
    return this.machine.cache.holds(pa(address), key, false);
  }

  /**
   * Whether the cache has bytes of a line as they were before they were destroyed in memory: it has others than memory. A
   * line that was filled since has the noise.
   */
  survives(start: number, length: number, key: KeyId): boolean {
    if (!this.isCached(start, key)) return false;
    const line = this.machine.cache.linesOf(pa(start), 1).find((each) => each.key === key);
    const inMemory = behindCaches(this.machine, pa(start), length, key);
    return inMemory.some((byte, i) => byte !== line?.bytes[start - line.pa + i]);
  }

  /** Whether it is also dirty. */
  isDirty(address: number, key: KeyId): boolean {
    return this.machine.cache.holds(pa(address), key, true);
  }

  /** The CPU that runs. */
  get cpu(): number {
    return this.host.cpu();
  }

  /** Makes a check once the present access is done, before the next event. */
  afterwards(check: () => void): void {
    this.due.push(check);
  }

  /** An event of the machine begins: what its ranges are reported for is counted once. `settles`: checks that are due are made. */
  begin(settles = true): void {
    if (settles) this.settle();
    this.found.begin();
  }

  /** Makes the checks that are due. */
  settle(): void {
    if (this.due.length > 0) for (const check of this.due.splice(0)) check();
  }

  encrypts(cpu: number): boolean {
    return this.machine.cpus[cpu]?.encryption === true;
  }

  /** The name of a device that makes a request. */
  device(requester: Requester, origin: Origin): string {
    return deviceName(this.machine, requester) ?? this.host.nameOf(origin) ?? '?';
  }

  /** The actor of an access: a device has its own name, whatever code runs. */
  by({ requester, origin }: Pick<Access, 'requester' | 'origin'>): Actor {
    return {
      site: this.writers.siteOf(requester, origin),
      cpu: requestingCpu(requester),
    };
  }

  report(found: Found): void {
    this.found.add(found);
  }
}

/** Bytes as a CPU reads them under a key, as text that can be compared. */
export function contents({ machine }: Watch, start: number, length: number, key: KeyId): string {
  return readUnder(machine, pa(start), length, key).join();
}

export const firstLine = (watch: Watch, start: number, key: KeyId): string =>
  contents(watch, start, LINE_SIZE, key);

export const cBit = (key: KeyId): 0 | 1 => (key === KEY_PLAIN ? 0 : 1);

/** A key as text: `C=1`. */
export const withC = (key: KeyId): string => `C=${String(cBit(key))}`;

/** The access in words. */
export function describe(what: string): string {
  return what === 'page-table entry' ? 'a walk' : `a ${what}`;
}
