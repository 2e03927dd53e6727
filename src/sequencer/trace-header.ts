/** The header of a boot's trace: the whole invocation. */
import { optional } from '../base/optional.js';
import { VERSION } from '../base/version.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { cacheHeader, cacheOf } from '../scenario/cache.js';
import { cpuModelOf } from '../scenario/memory-layout.js';
import { notModelled } from '../series/options.js';
import { canonicalName } from '../series/without.js';
import type { TraceHeader } from '../trace/trace.js';
import type { BootOptions } from './boot.js';
import type { ExecutedBootOptions } from './executed-boot.js';
import { ownHeader } from './own-hunks.js';

/** The header. `overlay`: the kernel names that the image lacks. */
export function traceHeader(
  options: BootOptions,
  image: KernelImage,
  overlay: readonly { readonly name: string }[],
): TraceHeader {
  const { scenario } = options;
  const unmodelled = notModelled(scenario.cmdline ?? '', options.extra);
  return {
    version: VERSION,
    scenario: scenario.name,
    scenarioDigest: options.scenarioDigest,
    stage: options.stage,
    activate: options.activate,
    without: (options.without ?? []).map(canonicalName),
    ...(options.stub === true && { stub: true }),
    with: (options.with ?? []).map(canonicalName),
    ...ownHeader(options),
    settings: { ...options.settings },
    seed: scenario.machine.seed,
    ...cacheHeader(scenario, cacheOf(scenario, cpuModelOf(scenario)).size),
    ...(unmodelled.length > 0 && {
      optionsNotModelled: unmodelled.map(({ option }) => option),
    }),
    ...(options.sanitize !== true && { sanitize: false }),
    image: {
      name: image.file,
      get digest() {
        return image.digest;
      },
    },
    ...(options.files !== undefined && { files: options.files }),
    config: { ...scenario.config },
    overlay: overlay.map(({ name }) => name),
  };
}

/** The header of an executed boot's trace. */
export function executedHeader(
  { scenario, image, entry, maxInstructions }: ExecutedBootOptions,
  run: Pick<BootOptions, 'scenarioDigest' | 'settings' | 'files'> & { readonly until?: string },
): TraceHeader {
  const { file: name, digest, version } = image;
  return {
    version: VERSION,
    execute: true,
    ...(entry === 'decompressor' && { entry }),
    ...optional({ until: run.until, maxInstructions }),
    scenario: scenario.name,
    scenarioDigest: run.scenarioDigest,
    stage: 0,
    activate: false,
    without: [],
    with: [],
    settings: { ...run.settings },
    seed: scenario.machine.seed,
    ...cacheHeader(scenario, cacheOf(scenario, cpuModelOf(scenario)).size),
    image: { name, digest, ...optional({ version }) },
    ...(run.files !== undefined && { files: run.files }),
    config: {},
    overlay: [],
  };
}
