/** The library without access to files: what runs in a browser. src/node/library.ts adds the files. */
export { VERSION } from '../base/version.js';
export { readKernelImage, type KernelImageOptions } from '../firmware/image/kernel-image.js';
export { UnmodelledError } from '../machine/unmodelled.js';
export {
  Boot,
  type BootOptions,
  type ByteSource,
  type ClearAccess,
  type ExposedRange,
  type Exposure,
  type Host,
  type KernelImage,
  type MappedRange,
  type MemoryView,
  type Region,
  type Snapshot,
  type Walk,
  type WalkLevel,
} from './boot.js';
export {
  parseScenarioText,
  type LoadedScenario,
  type Scenario,
  type Settings,
} from './scenario.js';
export {
  alternatives,
  compose,
  hunks,
  LAST_STAGE,
  type Alternative,
  type Hunk,
  type HunkInfo,
  type Selection,
} from './series.js';
export {
  hunkTools,
  ownHunks,
  type HunksExport,
  type HunkTools,
  type OwnHunks,
} from './own-hunks.js';
export type { Kernel } from '../kernel/kernel.js';
export type { EntryName, PatchedKernel } from '../kernel/table.js';
export * from './trace.js';
