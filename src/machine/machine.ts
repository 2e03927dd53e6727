/** A machine: DRAM behind its engine, a cache, MTRRs and CPUs, connected to each other; snapshots of all of it. */
import { KEY_PLAIN, PAGE_SIZE, pa, type KeyId, type Pa } from './address.js';
import { Bus, type Device, type UpstreamPort } from './bus.js';
import { Cache, type CacheConfig, type CacheSnapshot } from './cache/cache.js';
import { Cpu, type CpuBus, type CpuSnapshot } from './cpu/cpu.js';
import type { CpuDriver } from './cpu/cpu-core.js';
import type { CpuModel } from './cpu/cpuid.js';
import { Dram, type DramRange, type DramSnapshot } from './memory/dram.js';
import { MemoryEngine, type EngineMode } from './memory/engine.js';
import { HostBridge } from './devices/host-bridge.js';
import { SYSCFG } from './cpu/msr.js';
import type { LineSet } from './memory/line-set.js';
import { mtrrDefType, MtrrMap, type MtrrConfig } from './cpu/mtrr.js';
import { Probes } from './probes.js';
import { quietTables } from './quiet.js';
import { REQUESTER_PLATFORM, type Requester } from './requester.js';
import { SecureProcessor } from './devices/secure-processor.js';
import type { BlockCipherFactory, Origin, TableReader } from './types.js';

export interface MachineConfig {
  readonly model: CpuModel;
  readonly cpus: number;
  /** Physical ranges of DRAM. */
  readonly ram: readonly DramRange[];
  readonly mtrr: MtrrConfig;
  readonly cache: Omit<CacheConfig, 'store' | 'coherent'>;
  readonly engine: {
    readonly mode: EngineMode;
    readonly seed: string;
    readonly cipher: BlockCipherFactory;
    readonly lazy: boolean;
  };
  /** Whether firmware set SYSCFG[23]; one value for all CPUs or one each. */
  readonly syscfgMemEncrypt: boolean | readonly boolean[];
}

/** The state of a machine. */
export interface MachineSnapshot {
  readonly dram: DramSnapshot;
  readonly cache: CacheSnapshot;
  readonly cpus: readonly CpuSnapshot[];
  /** Pairs of a device's name and its state. */
  readonly devices: readonly (readonly [string, unknown])[];
}

export class Machine implements CpuBus {
  readonly engine: MemoryEngine;
  readonly dram: Dram;
  readonly bus: Bus;
  readonly cache: Cache;
  readonly mtrrs: MtrrMap;
  readonly cpus: readonly [Cpu, ...Cpu[]];
  /** The port for requests of devices that no IOMMU translates. */
  readonly hostBridge: UpstreamPort;
  readonly probes = new Probes();
  /** Reads page tables for reports: changes nothing. */
  readonly quietTables: TableReader;
  driver: CpuDriver | null = null;
  origin: Origin = 0;
  /** The origin of what a device writes, by its requester; set by the caller. Any other requester's is 0. */
  readonly originOf = new Map<Requester, Origin>();

  constructor(readonly config: MachineConfig) {
    const { engine, ram, model } = config;
    const { probes } = this;
    this.engine = new MemoryEngine(engine);
    this.dram = new Dram({
      ranges: ram,
      noiseSeed: new SecureProcessor(engine.seed).noiseSeed(),
      engine: this.engine,
      lazy: engine.lazy,
      probes,
    });
    this.bus = new Bus(this.dram);
    this.hostBridge = new HostBridge(this);
    this.cache = new Cache({
      store: this.bus,
      ...config.cache,
      coherent: model.sme?.coherent ?? false,
      probes,
    });
    this.mtrrs = new MtrrMap(config.mtrr.uncached, ram);
    this.quietTables = quietTables(this);
    const make = (id: number): Cpu => {
      const cpu = new Cpu(id, model, this);
      cpu.msrs.set('MTRRdefType', mtrrDefType(config.mtrr));
      const { syscfgMemEncrypt: firmware } = config;
      const on = typeof firmware === 'boolean' ? firmware : (firmware[id] ?? false);
      if (on && model.sme !== undefined) {
        cpu.msrs.set('SYSCFG', cpu.msrs.get('SYSCFG') | SYSCFG.MemEncryptionModEn);
      }
      return cpu;
    };
    this.cpus = [make(0), ...Array.from({ length: config.cpus - 1 }, (_, i) => make(i + 1))];
  }

  /** Puts a device on the bus; its state is part of snapshots. Attach before the first step of a boot. */
  attach<D extends Device>(device: D): D {
    this.bus.attach(device);
    return device;
  }

  /**
   * Adds to `into`, from now on, the lines that any access reads or writes, in the cache or behind it. Returns the
   * function that ends this. A clean line that leaves the cache is not added: it transfers nothing.
   */
  watchLines(into: LineSet): () => void {
    return this.probes.touched.listen((address, length) => {
      into.add(address, length);
    });
  }

  /**
   * Writes memory without a CPU, as a device or firmware does: lines of the same key leave the cache first. The address
   * is without the C-bit.
   */
  dmaWrite(
    address: Pa,
    data: Uint8Array,
    key: KeyId = KEY_PLAIN,
    requester: Requester = REQUESTER_PLATFORM,
  ): void {
    const origin = this.dmaWriteBegins(address, data.length, key, requester);
    this.cache.deviceWrite(requester, address, key, data, 0, data.length, origin);
  }

  /**
   * As dmaWrite without a key, of bytes that never change afterwards: DRAM has no copy of them until it is written. All of
   * it must be DRAM.
   */
  dmaLoad(address: Pa, data: Uint8Array): void {
    const origin = this.dmaWriteBegins(address, data.length, KEY_PLAIN, REQUESTER_PLATFORM);
    this.cache.clflush(address, KEY_PLAIN, data.length);
    this.dram.load(address, data, origin);
  }

  /** Tells of a write without a CPU before it happens; returns its origin. */
  private dmaWriteBegins(address: Pa, length: number, key: KeyId, requester: Requester): Origin {
    const { dma } = this.probes;
    const origin = this.originOf.get(requester) ?? 0;
    if (dma.active) dma.notify('write', requester, address, key, length, origin);
    return origin;
  }

  /** Reads memory without a CPU, as a device or firmware does, coherent with lines of the same key. */
  dmaRead(
    address: Pa,
    length: number,
    key: KeyId = KEY_PLAIN,
    requester: Requester = REQUESTER_PLATFORM,
  ): Uint8Array {
    const { dma } = this.probes;
    if (dma.active) {
      dma.notify('read', requester, address, key, length, this.originOf.get(requester) ?? 0);
    }
    const out = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const at = address + done;
      const run = Math.min(length - done, PAGE_SIZE - (at % PAGE_SIZE));
      this.cache.peekCoherent(requester, pa(at), key, out, done, run);
      done += run;
    }
    return out;
  }

  answers(address: Pa): boolean {
    return this.dram.has(address) || this.bus.at(address) !== undefined;
  }

  /** Key and origin of the last write to the line of an address, in the cache if newer there. For reports only. */
  lastWrite(address: Pa): { key: KeyId; origin: Origin } | undefined {
    return this.cache.lastWrite(address) ?? this.dram.lastWrite(address);
  }

  snapshot(): MachineSnapshot {
    return { dram: this.dram.snapshot(), cache: this.cache.snapshot(), ...this.cpusAndDevices() };
  }

  /** The state without a copy: valid until the machine changes. */
  view(): MachineSnapshot {
    return { dram: this.dram.view(), cache: this.cache.view(), ...this.cpusAndDevices() };
  }

  private cpusAndDevices(): Pick<MachineSnapshot, 'cpus' | 'devices'> {
    return {
      cpus: this.cpus.map((cpu) => cpu.snapshot()),
      devices: this.bus.all.map((device) => [device.name, device.snapshot()] as const),
    };
  }

  restore(snapshot: MachineSnapshot): void {
    this.dram.restore(snapshot.dram);
    this.cache.restore(snapshot.cache);
    snapshot.cpus.forEach((state, index) => this.cpus[index]?.restore(state));
    const states = new Map(snapshot.devices);
    for (const device of this.bus.all) device.restore(states.get(device.name));
  }
}
