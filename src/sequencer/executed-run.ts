/** A run of an executed boot to the return of a function, or to its end, in slices. */
import type { ExecutedBoot } from './executed-boot.js';
import type { Stops } from './stops.js';

export class ExecutedRun {
  private readonly stops: Stops;
  private readonly label: string | undefined;

  /** @param until the function; absent: to the boot's end. Throws E_LABEL for one that the image does not have. */
  constructor(
    readonly boot: ExecutedBoot,
    readonly until?: string,
  ) {
    this.label = until === undefined ? undefined : `${until}:return`;
    this.stops = boot.stopsAt(...(this.label === undefined ? [] : [this.label]));
  }

  /** Runs at most `most` instructions. Returns whether the boot goes on after them. */
  slice(most: number): boolean {
    const { boot, stops, label } = this;
    const { labels, end } = boot.go(stops, most);
    if (end.kind !== 'breakpoint' || label === undefined) return boot.outcome === null;
    if (labels.length > 0 || stops.neverReturns(label, boot.executor.cpu)) boot.end(end);
    return boot.outcome === null;
  }

  /** What became of the function; `inside`: it was entered, and did not return. */
  get reached(): 'returned' | 'inside' | 'no' {
    const { label, stops } = this;
    if (label === undefined) return 'no';
    if (!stops.waitsFor(label)) return 'returned';
    return stops.isInside(label) ? 'inside' : 'no';
  }
}
