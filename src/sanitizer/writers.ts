/** Writers of memory: the code or device, its key and boot step. Each has a number, which the shadow memory stores. */
import { KEY_PLAIN, type KeyId } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import {
  pciRequester,
  requestingCpu,
  REQUESTER_PLATFORM,
  type Requester,
} from '../machine/requester.js';
import type { Origin } from '../machine/types.js';
import type { SanitizerHost, Site } from './host.js';

/** What accesses memory. */
export type Party = 'cpu' | 'device' | 'platform';

/** Who wrote, under which key, when. */
export interface Writer {
  readonly site: Site;
  readonly key: KeyId;
  readonly party: Party;
  /** The CPU's number, where a CPU wrote. */
  readonly cpu: number | undefined;
  readonly step: string;
}

/** The number of bytes that were never written. */
export const UNWRITTEN = 0;

/** The kind of a requester. */
export function partyOf(requester: Requester): Party {
  if (requestingCpu(requester) !== undefined) return 'cpu';
  return requester === REQUESTER_PLATFORM ? 'platform' : 'device';
}

/** The name of the device that makes requests with a requester's id; undefined if it has none on the bus. */
export function deviceName({ bus }: Machine, requester: Requester): string | undefined {
  return bus.all.find(
    (each) => each.requester !== undefined && pciRequester(each.requester) === requester,
  )?.name;
}

export class Writers {
  /** Whether anything was written under a key. */
  anyKey = false;
  private list: Writer[] = [];
  private readonly numbers = new Map<string, number>();
  /** The last writer and what it was made of: most writes repeat it. */
  private last = { version: -1, key: -1, requester: -1, origin: -1, number: UNWRITTEN };

  /** The code that runs, as of a version of the host. */
  private code: { version: number; site: Site } = { version: NaN, site: { in: '' } };

  /** @param deviceOf the name of a requesting device. */
  constructor(
    private readonly host: SanitizerHost,
    private readonly deviceOf: (requester: Requester, origin: Origin) => string,
  ) {}

  /** The code or device that makes an access now: a device has its own name, whatever code runs. */
  siteOf(requester: Requester, origin: Origin): Site {
    if (partyOf(requester) === 'device') return { in: this.deviceOf(requester, origin) };
    const version = this.host.version();
    if (this.code.version !== version) this.code = { version, site: this.host.site() };
    return this.code.site;
  }

  /** The writer of a number; undefined for UNWRITTEN. */
  get(number: number): Writer | undefined {
    return this.list[number - 1];
  }

  /** The number of the code or device that makes an access now. */
  now(key: KeyId, requester: Requester, origin: Origin): number {
    const { host, last } = this;
    if (
      last.key === key &&
      last.requester === requester &&
      last.origin === origin &&
      last.version === host.version()
    ) {
      return last.number;
    }
    const number = this.intern({
      site: this.siteOf(requester, origin),
      key,
      party: partyOf(requester),
      cpu: requestingCpu(requester),
      step: host.step(),
    });
    this.last = { version: host.version(), key, requester, origin, number };
    return number;
  }

  snapshot(): readonly Writer[] {
    return [...this.list];
  }

  restore(list: readonly Writer[]): void {
    this.list = [];
    this.anyKey = false;
    this.numbers.clear();
    this.last = { ...this.last, version: -1 };
    this.code = { ...this.code, version: NaN };
    for (const writer of list) this.intern(writer);
  }

  private intern(writer: Writer): number {
    const { site, key, party, cpu, step } = writer;
    const id = [site.in, site.hunk ?? '', key, party, cpu ?? '', step].join('\n');
    const known = this.numbers.get(id);
    if (known !== undefined) return known;
    this.list.push(writer);
    this.anyKey ||= key !== KEY_PLAIN;
    this.numbers.set(id, this.list.length);
    return this.list.length;
  }
}
