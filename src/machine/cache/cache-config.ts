/** What a cache is made with, and its state. */
import type { LineStore } from '../memory/line-store.js';
import type { Probes } from '../probes.js';
import type { LineTagsSnapshot } from './cache-tags.js';
import type { WriteBackConfig } from './write-back-order.js';

export interface CacheConfig {
  readonly store: LineStore;
  /** Bytes of data; 0: no cache. */
  readonly size: number;
  readonly ways: number;
  /** HwEnfCacheCoh (CPUID Fn8000_001F EAX 10): a physical line is cached under one key at a time. */
  readonly coherent?: boolean;
  /** The machine's probe points; default: some without listeners. */
  readonly probes?: Probes;
  /** The order of write-backs by WBINVD; default `ascending`. */
  readonly writeBack?: WriteBackConfig;
}

/** The state of the cache. */
export interface CacheSnapshot {
  readonly data: Uint8Array;
  readonly tags: LineTagsSnapshot;
}
