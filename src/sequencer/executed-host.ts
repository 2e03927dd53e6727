/** What the sanitizer is told of an executed boot: the function of RIP, and names of addresses. */
import type { SanitizerHost } from '../sanitizer/host.js';
import { rangeText } from '../trace/render.js';
import type { ExecutedBoot } from './executed-boot.js';
import { LOADER_LABEL } from './loader-label.js';
import { ownedRanges, placeIn } from './sanitizer-host.js';

/** @param loaded the boot; undefined while the machine is loaded. */
export function executedHost(loaded: () => ExecutedBoot | undefined): SanitizerHost {
  return {
    // An image makes no annotations: rules that need them are not checked.
    annotations: () => [],
    cpu: () => loaded()?.executor.cpu.id ?? 0,
    // Which variables hold bits for page-table entries is not known of an image.
    masks: () => (loaded() === undefined ? undefined : []),
    site: () => ({ in: loaded()?.code().fn ?? LOADER_LABEL }),
    version: () => loaded()?.machine.origin ?? -1,
    step: () => loaded()?.currentLabel ?? LOADER_LABEL,
    nameOf: (origin) => loaded()?.nameOf(origin),
    rangeText(space, start, length) {
      const text = rangeText({ space, start, length });
      const boot = loaded();
      const symbol =
        boot?.names.symbolize(space, start) ??
        (space === 'pa' && boot !== undefined ? placeIn(boot.regions(), start) : undefined);
      return symbol === undefined ? text : `${text} ${symbol}`;
    },
    owned() {
      const boot = loaded();
      return boot === undefined ? [] : ownedRanges(boot);
    },
  };
}
