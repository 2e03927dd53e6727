/**
 * The sanitizer: listens to the machine's probe points, keeps a shadow of memory, and reports what is wrong with an access
 * although no reader has noticed it yet. It changes nothing in the machine. No rule knows the kernel.
 */
import {
  LINE_SIZE,
  lineOf,
  PAGE_SIZE,
  pa as toPa,
  KEY_PLAIN,
  va as toVa,
  type KeyId,
  type Pa,
} from '../machine/address.js';
import type { CachedLine } from '../machine/cache/cache.js';
import type { Machine } from '../machine/machine.js';
import type { AccessKind } from '../machine/probes.js';
import { requestingCpu, REQUESTER_PLATFORM, type Requester } from '../machine/requester.js';
import type { Fault, Origin } from '../machine/types.js';
import type { ReportSource, SanitizerReport } from '../trace/report.js';
import type { OwnedRange, SanitizerHost, Site } from './host.js';
import { Owned, type OwnedSnapshot } from './owned.js';
import { Reports, type Found, type ReportsSnapshot } from './reports.js';
import { GRANULE, Shadow, type ShadowSnapshot } from './shadow.js';
import { Translations, type TranslationsSnapshot } from './translations.js';
import { deviceName, partyOf, UNWRITTEN, Writers, type Writer } from './writers.js';

/** The state of the sanitizer. */
export interface SanitizerSnapshot {
  readonly shadow: ShadowSnapshot;
  readonly writers: readonly Writer[];
  readonly translations: TranslationsSnapshot;
  readonly reports: ReportsSnapshot;
  readonly owned: OwnedSnapshot;
}

/** An access: `what` says it in a word, sizes in bytes. */
interface Access {
  readonly what: string;
  readonly requester: Requester;
  readonly va?: number | undefined;
  readonly start: number;
  readonly length: number;
  readonly key: KeyId;
  readonly origin: Origin;
}

const cBit = (key: KeyId): 0 | 1 => (key === KEY_PLAIN ? 0 : 1);
const withC = (key: KeyId): string => `C=${String(cBit(key))}`;

const NONE = new Owned([]);

export class Sanitizer implements ReportSource {
  private readonly shadow = new Shadow();
  private readonly writers: Writers;
  private readonly translations = new Translations();
  private readonly found: Reports;
  private ownedRanges: Owned | null = null;
  private ends: (() => void)[] = [];
  /** The first address that has the C-bit of the part in it; Infinity if it has none. */
  private readonly cBitAddress: number;

  constructor(
    private readonly machine: Machine,
    private readonly host: SanitizerHost,
  ) {
    this.writers = new Writers(host, (requester) => deviceName(machine, requester));
    this.found = new Reports(host);
    const { sme } = machine.config.model;
    this.cBitAddress = sme === undefined ? Infinity : 2 ** sme.cBit;
  }

  /** Memory with an owner; none before memory is filled. */
  private get owned(): Owned {
    if (this.ownedRanges === null) {
      const ranges = this.host.owned();
      if (ranges.length === 0) return NONE;
      this.ownedRanges = new Owned(ranges);
    }
    return this.ownedRanges;
  }

  reports(): readonly SanitizerReport[] {
    return this.found.list();
  }

  /** Listens from now on, if it does not yet. */
  start(): void {
    if (this.ends.length > 0) return;
    const { probes } = this.machine;
    this.ends = [
      probes.accessed.listen((kind, cpu, va, pa, key, _type, length, origin) => {
        this.accessed(kind, { requester: cpu, va, start: pa, length, key, origin, what: kind });
      }),
      probes.dma.listen((kind, requester, pa, key, length, origin) => {
        this.dma(kind, { requester, start: pa, length, key, origin, what: kind });
      }),
      probes.walked.listen((cpu, va, pa, key) => {
        this.walked(cpu, va, pa, key);
      }),
      probes.translated.listen((cpu, entry) => {
        this.translations.translated(cpu, entry);
      }),
      probes.flushed.listen((cpu, what, at, origin) => {
        this.translations.flushed(cpu, what, at);
        if (what === 'clflush' && at !== undefined) this.clflushed(cpu, at, origin);
      }),
      probes.writtenBack.listen((pa, key, length, origin) => {
        this.writtenBack(pa, key, length, origin);
      }),
      probes.faulted.listen((cpu, fault) => {
        this.faulted(cpu, fault);
      }),
    ];
  }

  /** Listens no more. */
  stop(): void {
    for (const end of this.ends) end();
    this.ends = [];
  }

  snapshot(): SanitizerSnapshot {
    return {
      shadow: this.shadow.snapshot(),
      writers: this.writers.snapshot(),
      translations: this.translations.snapshot(),
      reports: this.found.snapshot(),
      owned: this.owned.snapshot(),
    };
  }

  restore(snapshot: SanitizerSnapshot): void {
    this.shadow.restore(snapshot.shadow);
    this.writers.restore(snapshot.writers);
    this.translations.restore(snapshot.translations);
    this.found.restore(snapshot.reports);
    this.owned.restore(snapshot.owned);
  }

  // --- Events --------------------------------------------------------------------------------------------------

  private accessed(kind: AccessKind, access: Access): void {
    const { requester: cpu, va = 0, key } = access;
    if (this.translations.anyStale) this.checkTranslation(cpu, va, access);
    this.checkAddress(access);
    if (key !== KEY_PLAIN) this.checkDevice(access);
    if (kind === 'write') this.write(access);
    else this.read(access);
  }

  private dma(kind: 'read' | 'write', access: Access): void {
    if (kind === 'write') this.write(access);
    // The platform's reads are those of reports and of a loader, which reads what it wrote.
    else if (access.requester !== REQUESTER_PLATFORM) this.read(access);
  }

  private walked(cpu: number, va: number, pa: Pa, key: KeyId): void {
    this.translations.walked(va, pa);
    const access: Access = {
      what: 'page-table entry',
      ...{ requester: cpu, va, start: pa, length: 8, key, origin: 0 },
    };
    this.checkAddress(access);
    this.read(access);
  }

  private faulted(cpu: number, { read, address }: Fault): void {
    // Without encryption a C-bit at or above the physical size is reserved (APM 7.10.1).
    if (read === undefined || this.encrypts(cpu) || this.cBitAddress === Infinity) return;
    if ((read.reserved & BigInt(this.cBitAddress)) === 0n) return;
    this.report({
      rule: 'cbit-not-in-force',
      ...this.now(cpu),
      ...{ start: read.at, length: 8, va: Number(address ?? 0) },
      what: `a ${read.level} entry with the C-bit on a CPU whose SYSCFG[23] is clear: a #PF for a reserved bit`,
      outcome: 'garbage consumed',
    });
  }

  // --- Memory --------------------------------------------------------------------------------------------------

  private write(access: Access): void {
    const { start, length, key, requester, origin } = access;
    this.checkAliases(access);
    if (requester !== REQUESTER_PLATFORM) this.checkOwner(access);
    const writer = this.writers.now(key, requester, origin);
    this.shadow.write(start, length, writer);
    if (this.translations.tracks) this.translations.written(start, length, writer);
  }

  private read(access: Access): void {
    const { start } = access;
    if (access.requester !== REQUESTER_PLATFORM) this.owned.wasRead(start, access.length);
    this.shadow.runs(start, access.length, (at, length, number, destroyed) => {
      if (number === UNWRITTEN) return;
      const writer = this.writers.get(number);
      if (writer === undefined || (writer.key === access.key && !destroyed)) return;
      this.readOtherKey(access, at, length, writer, destroyed);
    });
  }

  private readOtherKey(
    access: Access,
    start: number,
    length: number,
    writer: Writer,
    destroyed: boolean,
  ): void {
    const { requester, va, key, origin } = access;
    const same = writer.key === key;
    // A line that is still cached has what was written under its key.
    if (same && this.cached(start, key) !== undefined) return;
    const parties =
      partyOf(requester) === 'device' ||
      writer.party === 'device' ||
      differentCpus(requester, writer);
    this.report({
      rule: parties ? 'key-disagreement' : 'wrong-key-read',
      ...this.by(requester, origin),
      ...{ start, length, va: va === undefined ? undefined : va + (start - access.start) },
      C: cBit(key),
      what: same
        ? `${describe(access.what)} of bytes that a write-back under the other key destroyed`
        : `${describe(access.what)} with ${withC(key)} of bytes written with ${withC(writer.key)}`,
      earlier: { what: destroyed ? 'written, and destroyed since' : 'written', writer },
      outcome: 'garbage consumed',
    });
  }

  /** A line that is dirty under another key: which of the two write-backs comes last decides (APM 7.10.6). */
  private checkAliases(access: Access): void {
    const { start, length, key, requester, origin } = access;
    if (this.machine.config.model.sme?.coherent === true) return;
    const first = Math.floor(start / LINE_SIZE) * LINE_SIZE;
    const end = Math.ceil((start + length) / LINE_SIZE) * LINE_SIZE;
    this.shadow.runs(first, end - first, (at, size, number) => {
      const writer = this.writers.get(number);
      if (writer === undefined || writer.key === key) return;
      for (let line = Math.floor(at / LINE_SIZE) * LINE_SIZE; line < at + size; line += LINE_SIZE) {
        const other = this.machine.cache
          .linesOf(toPa(line), 1)
          .find((each) => each.key !== key && each.dirty !== undefined);
        if (other === undefined) continue;
        this.report({
          rule: 'mixed-key-line',
          ...this.by(requester, origin),
          ...{ start: line, length: LINE_SIZE, C: cBit(key) },
          what: `a write with ${withC(key)} of a line that is dirty with ${withC(other.key)}: the later write-back wins`,
          earlier: { what: 'written, not written back', writer },
          outcome: 'nothing yet',
        });
      }
    });
  }

  private writtenBack(start: Pa, key: KeyId, length: number, origin: Origin): void {
    this.shadow.runs(start, length, (at, size, number, destroyed) => {
      const writer = this.writers.get(number);
      if (writer === undefined || writer.key === key || destroyed) return;
      for (let line = Math.floor(at / LINE_SIZE) * LINE_SIZE; line < at + size; line += LINE_SIZE) {
        // The newer data is still in the cache: its own write-back comes later.
        if (this.cached(line, writer.key)?.dirty !== undefined) continue;
        const from = Math.max(at, line);
        const to = Math.min(at + size, line + LINE_SIZE);
        this.report({
          rule: 'mixed-key-line',
          site: { in: this.host.nameOf(origin) ?? 'hardware' },
          ...{ start: from, length: to - from, C: cBit(key) },
          what: `the write-back of a line with ${withC(key)} destroys newer bytes`,
          earlier: { what: 'written', writer },
          outcome: 'data lost',
        });
        this.shadow.destroy(from, to - from);
      }
    });
  }

  /** Memory that another party put there for the kernel, or goes on using. */
  private checkOwner(access: Access): void {
    const { requester, origin, va, key } = access;
    this.owned.overlaps(access.start, access.length, (range, start, length) => {
      const places = (at: number, size: number) => ({
        ...this.by(requester, origin),
        ...{ start: at, length: size, va: va === undefined ? undefined : va + at - access.start },
        C: cBit(key),
      });
      if (range.use === 'firmware') {
        if (key === KEY_PLAIN) return;
        const what = 'a write with C=1 of memory that firmware reads with C=0';
        const rule = 'key-disagreement';
        this.report({ ...places(start, length), rule, what, outcome: 'nothing yet' });
        return;
      }
      this.shadow.runs(start, length, (at, size, number) => {
        const writer = this.writers.get(number);
        if (writer?.party !== 'platform' || this.isRead(range, at, size)) return;
        this.report({
          ...places(at, size),
          rule: 'foreign-owner-write',
          what: 'a write over bytes that nobody has read since they were put there',
          earlier: { what: 'put there', writer },
          outcome: 'data lost',
        });
      });
    });
  }

  private isRead(range: OwnedRange, start: number, length: number): boolean {
    for (let at = start; at < start + length; at += GRANULE) {
      if (!this.owned.isRead(range, at)) return false;
    }
    return true;
  }

  /** CLFLUSH flushes the line under the mapping's key only. */
  private clflushed(cpu: number, va: number, origin: Origin): void {
    const at = this.machine.cpus[cpu]?.translate(toVa(va));
    if (at === undefined || 'vector' in at) return;
    const line = lineOf(at.pa);
    this.shadow.runs(line, LINE_SIZE, (start, length, number) => {
      const writer = this.writers.get(number);
      if (writer === undefined || writer.key === at.key) return;
      if (this.cached(line, writer.key)?.dirty === undefined) return;
      this.report({
        rule: 'mixed-key-line',
        ...this.by(cpu, origin),
        ...{ start, length, va, C: cBit(at.key) },
        what: `a CLFLUSH with ${withC(at.key)} of a line that is dirty with ${withC(writer.key)}: the line stays`,
        earlier: { what: 'written, not written back', writer },
        outcome: 'nothing yet',
      });
    });
  }

  /** The cached line of an address under a key; undefined if there is none. */
  private cached(address: number, key: KeyId): CachedLine | undefined {
    return this.machine.cache.linesOf(toPa(address), 1).find((line) => line.key === key);
  }

  // --- Translations and addresses ------------------------------------------------------------------------------

  private checkTranslation(cpu: number, va: number, access: Access): void {
    for (const stale of this.translations.staleAt(cpu, va)) {
      const steps = this.machine.cpus[cpu]?.traceWalk(toVa(va)) ?? [];
      const leaf = steps.at(-1);
      const mask = leaf?.kind === 'leaf' ? pageSizeOf(leaf.level) : PAGE_SIZE;
      const offset = ((va % mask) + mask) % mask;
      const valid = leaf?.kind === 'leaf' && leaf.target !== undefined;
      const target = valid ? (leaf.target ?? 0) + offset : undefined;
      const writer = this.writers.get(stale.writer);
      this.translations.forget(stale);
      if (target === access.start && leaf?.c === cBit(access.key)) continue;
      const now =
        target === undefined ? 'the entry is not present' : `the tables say C=${String(leaf?.c)}`;
      this.report({
        rule: 'stale-translation',
        ...this.now(cpu),
        ...{ start: access.start, length: access.length, va, C: cBit(access.key) },
        what: `${describe(access.what)} by a translation in the TLB with ${withC(access.key)}; ${now}`,
        ...(writer !== undefined && { earlier: { what: 'changed its page-table entry', writer } }),
        // With the same address only the key may be wrong: a read under it is a report of its own.
        outcome:
          target === undefined || target === access.start ? 'nothing yet' : 'garbage consumed',
      });
    }
  }

  /** Addresses that have the C-bit in them, since the CPU does not take it for one. */
  private checkAddress({ what, requester: cpu, va, start, length }: Access): void {
    if (start < this.cBitAddress || this.encrypts(cpu) || this.machine.answers(toPa(start))) return;
    this.report({
      rule: 'cbit-not-in-force',
      ...this.now(cpu),
      ...{ start, length, va },
      what: `${describe(what)} at an address that has the C-bit in it: SYSCFG[23] of this CPU is clear`,
      outcome: 'garbage consumed',
    });
  }

  private checkDevice({ what, requester: cpu, va, start, length, key }: Access): void {
    const { dram, bus } = this.machine;
    if (dram.has(start) || bus.at(start) === undefined) return;
    this.report({
      rule: 'cbit-on-mmio',
      ...this.now(cpu),
      ...{ start, length, va, C: cBit(key) },
      what: `${describe(what)} of a device with C=1: the access is ignored`,
      outcome: what === 'write' ? 'data lost' : 'garbage consumed',
    });
  }

  // --- Reports -------------------------------------------------------------------------------------------------

  private encrypts(cpu: number): boolean {
    return this.machine.cpus[cpu]?.encryption === true;
  }

  /** Who makes an access: a device has its own name, whatever code runs. */
  private by(requester: Requester, origin: Origin): { site: Site; cpu?: number | undefined } {
    if (partyOf(requester) !== 'device') return this.now(requester);
    return { site: { in: deviceName(this.machine, requester) ?? this.host.nameOf(origin) ?? '?' } };
  }

  private now(requester: Requester): { site: Site; cpu: number | undefined } {
    return { site: this.host.site(), cpu: requestingCpu(requester) };
  }

  private report(found: Found): void {
    this.found.add(found);
  }
}

/** The access in words. */
function describe(what: string): string {
  return what === 'page-table entry' ? 'a walk' : `a ${what}`;
}

function differentCpus(requester: Requester, { party, cpu }: Writer): boolean {
  return party === 'cpu' && requestingCpu(requester) !== cpu;
}

function pageSizeOf(level: string): number {
  return level === 'PTE' ? PAGE_SIZE : level === 'PMD' ? 0x20_0000 : 0x4000_0000;
}
