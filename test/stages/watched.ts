/** A boot observed from the machine's side: accesses by key, and whether the access of each fault was repeated. */
import { PAGE_SIZE, type KeyId } from '../../src/machine/address.js';
import type { Boot, BootOptions } from '../../src/sequencer/boot.js';
import type { Trace } from '../../src/trace/trace.js';
import { boot } from '../helpers.js';

/** Number of accesses by kind. */
export type KeyUse = Record<string, number>;

/** A fault and whether the access that raised it was repeated. */
interface Raised {
  readonly what: string;
  readonly handler: string;
  readonly page: number | undefined;
  again: boolean;
}

export class Watched {
  readonly boot: Boot;
  /** Accesses with a key other than 0: empty if nothing is encrypted. */
  readonly encrypted: KeyUse = {};
  /** Accesses with key 0, to check that the probe points work. */
  readonly plain: KeyUse = {};
  readonly faults: Raised[] = [];
  private readonly open = new Set<Raised>();
  /** Ends listening to accesses: only while a fault is open. */
  private endFaults: (() => void) | null = null;

  /** Without `keys` only faults are observed, and only the access that follows one. */
  constructor(options: Partial<BootOptions>, keys = true) {
    this.boot = boot(options);
    if (keys) this.watchKeys();
    this.watchFaults();
  }

  /** Runs the steps before a label. */
  runUpTo(label: string): void {
    while (this.boot.ahead[0] !== label && this.boot.step());
  }

  run(): Trace {
    return this.boot.run();
  }

  /** Faults whose access was not repeated and that the outcome's message does not name. */
  get unanswered(): readonly string[] {
    const cause = this.boot.outcome?.message ?? '';
    return this.faults
      .filter(
        ({ again, what, handler }) => !again && !cause.includes(what) && !cause.includes(handler),
      )
      .map(({ what, handler }) => `${what}, handler ${handler}`);
  }

  private count(what: string, key: KeyId): void {
    const uses = key === 0 ? this.plain : this.encrypted;
    uses[what] = (uses[what] ?? 0) + 1;
  }

  private watchKeys(): void {
    const { machine } = this.boot;
    const { probes } = machine;
    probes.accessed.listen((kind, _cpu, _va, _pa, key) => {
      this.count(kind, key);
    });
    probes.translated.listen((_cpu, { key }) => {
      this.count('translation', key);
    });
    probes.filled.listen((_pa, key) => {
      this.count('fill', key);
    });
    probes.writtenBack.listen((_pa, key) => {
      this.count('write-back', key);
    });
    probes.keyChanged.listen((_pa, _length, _from, to) => {
      this.count('owner', to);
    });
    probes.dma.listen((kind, _requester, _pa, key) => {
      this.count(`device ${kind}`, key);
    });
  }

  private watchFaults(): void {
    const { recorder } = this.boot;
    const emit = recorder.emit.bind(recorder);
    recorder.emit = (kind, fields, origin) => {
      const { what, handler } = fields;
      if (kind === 'fault' && typeof what === 'string') this.raised(what, text(handler));
      emit(kind, fields, origin);
    };
  }

  private raised(what: string, handler: string): void {
    const address = / at (0x[0-9a-f]+)$/.exec(what)?.[1];
    const page =
      address === undefined ? undefined : pageOf(Number(BigInt.asIntN(64, BigInt(address))));
    const fault = { what, handler, page, again: false };
    this.faults.push(fault);
    this.open.add(fault);
    this.endFaults ??= this.boot.machine.probes.accessed.listen((_kind, _cpu, at) => {
      this.madeAgain(at);
    });
  }

  private madeAgain(at: number): void {
    for (const fault of this.open) {
      if (fault.page !== pageOf(at)) continue;
      fault.again = true;
      this.open.delete(fault);
    }
    if (this.open.size > 0) return;
    this.endFaults?.();
    this.endFaults = null;
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '?');

function pageOf(at: number): number {
  return Math.floor(at / PAGE_SIZE);
}
