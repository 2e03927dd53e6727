/** What the sanitizer is told of a boot: the code that runs, and names of addresses. */
import type { SanitizerHost } from '../sanitizer/host.js';
import { rangeText } from '../trace/render.js';
import type { Boot } from './boot.js';

/** A number that no kernel's count of changes reaches: the second kernel counts from there. */
const SECOND = 2 ** 40;

export function sanitizerHost(boot: Boot): SanitizerHost {
  return {
    site() {
      const kernel = boot.kernelIfAny;
      if (kernel === undefined) return { in: 'loader' };
      const { fn, ...from } = kernel.trace.origin();
      return { in: fn, ...from };
    },
    version() {
      const kernel = boot.kernelIfAny;
      if (kernel === undefined) return -2;
      return kernel.trace.version + (boot.kexeced ? SECOND : 0);
    },
    step: () => boot.recorder.currentLabel ?? 'loader',
    nameOf: (origin) => boot.recorder.nameOf(origin),
    rangeText(space, start, length) {
      const text = rangeText({ space, start, length });
      const symbol = boot.kernelIfAny && boot.symbolize(space, start);
      return symbol === undefined ? text : `${text} ${symbol}`;
    },
  };
}
