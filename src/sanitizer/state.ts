/** The state of the rules that have one of their own, beside the shadow. */
import { Buffers, type BuffersSnapshot } from './rules/devices.js';
import { FreedMemory, type FreedSnapshot } from './rules/freed.js';
import { Masks, type MasksSnapshot } from './rules/masks.js';
import { AskedTypes, type AskedSnapshot } from './rules/memory-types.js';
import { Twice, type TwiceSnapshot } from './rules/twice.js';
import { Uninitialised, type SearchingSnapshot } from './rules/uninitialised.js';

export interface RuleStateSnapshot {
  readonly twice: TwiceSnapshot;
  readonly asked: AskedSnapshot;
  readonly freed: FreedSnapshot;
  readonly masks: MasksSnapshot;
  readonly searching: SearchingSnapshot;
  readonly buffers: BuffersSnapshot;
}

export class RuleState {
  readonly twice = new Twice();
  readonly asked = new AskedTypes();
  readonly freed = new FreedMemory();
  readonly masks = new Masks();
  readonly uninitialised = new Uninitialised();
  readonly buffers = new Buffers();

  /** Forgets what was stated of memory. */
  forgetAnnotations(): void {
    this.asked.restore([]);
    this.freed.restore([]);
    this.masks.restore(null);
    this.uninitialised.restore(null);
    this.buffers.restore([]);
  }

  snapshot(): RuleStateSnapshot {
    return {
      twice: this.twice.snapshot(),
      asked: this.asked.snapshot(),
      freed: this.freed.snapshot(),
      masks: this.masks.snapshot(),
      searching: this.uninitialised.snapshot(),
      buffers: this.buffers.snapshot(),
    };
  }

  restore(snapshot: RuleStateSnapshot): void {
    this.twice.restore(snapshot.twice);
    this.asked.restore(snapshot.asked);
    this.freed.restore(snapshot.freed);
    this.masks.restore(snapshot.masks);
    this.uninitialised.restore(snapshot.searching);
    this.buffers.restore(snapshot.buffers);
  }
}
