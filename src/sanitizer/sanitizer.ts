/**
 * The sanitizer: listens to the machine's probe points, keeps a shadow of memory, and reports what is wrong with an access
 * although no reader has noticed it yet. It changes nothing in the machine. No rule knows the kernel.
 */
import { KEY_PLAIN } from '../machine/address.js';
import type { Machine } from '../machine/machine.js';
import type { AccessKind } from '../machine/probes.js';
import { REQUESTER_PLATFORM } from '../machine/requester.js';
import { MEMTYPE, type MemType } from '../machine/types.js';
import type { ReportSource, SanitizerReport } from '../trace/report.js';
import type { Annotations, LinearRange, Searched } from './annotations.js';
import type { SanitizerHost } from './host.js';
import type { OwnedSnapshot } from './owned.js';
import type { ReportsSnapshot } from './reports.js';
import { checkAddress, checkDevice, checkFault } from './rules/addresses.js';
import { checkBuffer } from './rules/devices.js';
import { partsOf } from './rules/freed.js';
import { checkRead } from './rules/keys.js';
import {
  checkAliases,
  checkClflush,
  checkTouched,
  spoilBlocks,
  WriteBacks,
} from './rules/lines.js';
import { checkConversion, checkOwner } from './rules/owners.js';
import { checkSearch } from './rules/searches.js';
import { checkTranslation } from './rules/translations.js';
import { RULES, type RuleId } from './rules.js';
import type { ShadowSnapshot } from './shadow.js';
import type { TranslationsSnapshot } from './translations.js';
import { RuleState, type RuleStateSnapshot } from './state.js';
import { Watch, type Access } from './watch.js';
import type { Writer } from './writers.js';

/** The state of the sanitizer. */
export interface SanitizerSnapshot {
  readonly shadow: ShadowSnapshot;
  readonly writers: readonly Writer[];
  readonly translations: TranslationsSnapshot;
  readonly reports: ReportsSnapshot;
  readonly owned: OwnedSnapshot;
  readonly rules: RuleStateSnapshot;
}

export class Sanitizer implements ReportSource, Annotations {
  private readonly watch: Watch;
  private readonly rules = new RuleState();
  private readonly writeBacks = new WriteBacks();
  private ends: (() => void)[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly host: SanitizerHost,
  ) {
    this.watch = new Watch(machine, host);
  }

  /** Rules that are not checked, since the running code does not make their annotations. */
  notChecked(): RuleId[] {
    const made: readonly string[] = this.host.annotations();
    return RULES.filter(
      (rule) => 'needs' in rule && rule.needs.some((need) => !made.includes(need)),
    ).map(({ id }) => id);
  }

  reports(): readonly SanitizerReport[] {
    this.watch.settle();
    return this.watch.found.list();
  }

  /** Listens from now on, if it does not yet. */
  start(): void {
    if (this.ends.length > 0) return;
    const { watch, rules } = this;
    const { probes } = this.machine;
    this.ends = [
      probes.accessed.listen((kind, cpu, va, start, key, type, length, origin) => {
        watch.begin();
        const access = { requester: cpu, va, start, length, key, origin, what: kind };
        if (rules.asked.any) rules.asked.check(watch, access, type);
        if (kind === 'write' && type !== MEMTYPE.WB) spoilBlocks(watch, access);
        this.accessed(kind, access, type);
      }),
      probes.dma.listen((kind, requester, start, key, length, origin) => {
        watch.begin();
        this.dma(kind, { requester, start, length, key, origin, what: kind });
      }),
      probes.walked.listen((cpu, va, start, key) => {
        watch.begin(false);
        watch.translations.walked(va, start);
        const what = 'page-table entry';
        const access: Access = { what, requester: cpu, va, start, length: 8, key, origin: 0 };
        checkAddress(watch, access);
        this.read(access);
      }),
      probes.guestWalked.listen((cpu, start, key, origin) => {
        watch.begin();
        const what = 'page-table entry';
        this.read({ what, requester: cpu, start, length: 8, key, origin });
      }),
      probes.permissionMapRead.listen((cpu, { pa: start, key, bytes }) => {
        watch.begin();
        const length = bytes.length;
        this.read({
          what: 'read',
          requester: cpu,
          start,
          length,
          key,
          origin: this.machine.origin,
        });
      }),
      probes.translated.listen((cpu, entry) => {
        watch.translations.translated(cpu, entry);
      }),
      probes.flushed.listen((cpu, what, at) => {
        watch.translations.flushed(cpu, what, at);
      }),
      probes.linesFlushed.listen((cpu, va, start, length, key, origin) => {
        watch.begin(false);
        const what = 'CLFLUSH';
        checkClflush(watch, { requester: cpu, va, start, length, key, origin, what });
      }),
      probes.writingBack.listen((start, key, length) => {
        this.writeBacks.before(watch, start, length, key);
      }),
      probes.writtenBack.listen((_start, key, _length, origin) => {
        this.writeBacks.after(watch, key, origin);
      }),
      probes.faulted.listen((cpu, fault) => {
        checkFault(watch, cpu, fault);
      }),
    ];
  }

  /** Listens no more. */
  stop(): void {
    for (const end of this.ends) end();
    this.ends = [];
  }

  snapshot(): SanitizerSnapshot {
    const { watch } = this;
    watch.settle();
    const { shadow, writers, translations, found, owned } = watch;
    return {
      shadow: shadow.snapshot(),
      writers: writers.snapshot(),
      translations: translations.snapshot(),
      reports: found.snapshot(),
      owned: owned.snapshot(),
      rules: this.rules.snapshot(),
    };
  }

  restore(snapshot: SanitizerSnapshot): void {
    const { watch } = this;
    const { shadow, writers, translations, found, owned } = watch;
    shadow.restore(snapshot.shadow);
    writers.restore(snapshot.writers);
    translations.restore(snapshot.translations);
    found.restore(snapshot.reports);
    owned.restore(snapshot.owned);
    this.rules.restore(snapshot.rules);
  }

  /** Other code runs from now on: what the earlier code stated of its memory no longer holds. */
  codeReplaced(): void {
    this.watch.settle();
    this.rules.forgetAnnotations();
  }

  // --- Annotations -----------------------------------------------------------------------------------------------

  mapped(range: LinearRange, type: MemType): void {
    this.rules.asked.mapped(range, type);
  }
  unmapped(at: number): void {
    this.rules.asked.unmapped(at);
  }
  freed(ranges: readonly LinearRange[]): void {
    this.watch.settle();
    this.rules.freed.freed(this.watch, ranges);
    this.released(ranges);
  }
  released(ranges: readonly LinearRange[]): void {
    const { watch } = this;
    watch.settle();
    for (const range of ranges) {
      for (const { start, size } of partsOf(watch, range)) watch.owned.wasRead(start, size);
    }
  }
  toDevice(_requester: number, bus: bigint, size: number): void {
    this.watch.settle();
    checkBuffer(this.watch, bus, size);
  }
  buffer(devid: number, bus: bigint, size: number): void {
    this.rules.buffers.given(devid, bus, size);
  }
  bufferGone(devid: number, bus: bigint, size: number): void {
    this.rules.buffers.takenBack(devid, bus, size);
  }
  searching(range: LinearRange): void {
    this.rules.uninitialised.search(range);
  }
  searched(search: Searched): void {
    this.watch.settle();
    this.rules.uninitialised.search(null);
    checkSearch(this.watch, search);
  }

  // --- Accesses --------------------------------------------------------------------------------------------------

  private accessed(kind: AccessKind, access: Access, type: MemType): void {
    const { watch } = this;
    const { requester: cpu, va = 0, key } = access;
    if (watch.translations.anyStale) checkTranslation(watch, cpu, va, access, type);
    checkAddress(watch, access);
    this.rules.masks.access(watch, access);
    // An ignored write changes no bytes.
    if (key !== KEY_PLAIN && checkDevice(watch, access)) return;
    if (kind === 'write') this.write(access);
    else {
      if (watch.writers.anyKey && type !== MEMTYPE.UC) checkTouched(watch, access);
      this.read(access);
    }
  }

  private dma(kind: 'read' | 'write', access: Access): void {
    if (kind === 'write') {
      this.rules.buffers.checkWrite(this.watch, access);
      spoilBlocks(this.watch, access);
      this.write(access);
    }
    // The platform's reads are those of reports and of a loader, which reads what it wrote.
    else if (access.requester !== REQUESTER_PLATFORM) this.read(access);
  }

  private write(access: Access): void {
    const { watch } = this;
    const { start, length, key, requester, origin } = access;
    checkAliases(watch, access);
    if (requester !== REQUESTER_PLATFORM) {
      checkOwner(watch, access);
      watch.owned.overwritten(start, length);
      checkConversion(watch, access);
    }
    this.rules.twice.written(watch, access);
    const writer = watch.writers.now(key, requester, origin);
    watch.shadow.write(start, length, writer);
    if (watch.translations.tracks) watch.translations.written(start, length, writer);
  }

  private read(access: Access): void {
    const { watch } = this;
    if (access.requester !== REQUESTER_PLATFORM) {
      watch.owned.wasRead(access.start, access.length, access.key);
    }
    checkRead(watch, this.rules, access);
  }
}
