/** The timer of a local APIC (APM 16.4.1). Its clock has 100 MHz: a pulse for each unit of virtual time (our choice). */

/** Divisors by bits 3, 1 and 0 of the divide configuration register (APM 16.4.1, table 16-3). */
const DIVISORS = [2, 4, 8, 16, 32, 64, 128, 1] as const;
const DIVIDE_WRITABLE = 0xb;

/** The state of a timer. */
export interface ApicTimerState {
  readonly initial: number;
  readonly divide: number;
  /** The time at which the count is 0 next; Infinity: the timer does not run. */
  readonly expires: number;
}

export class ApicTimer {
  initial = 0;
  divide = 0;
  expires = Infinity;

  private get divisor(): number {
    return DIVISORS[((this.divide & 8) >> 1) | (this.divide & 3)] ?? 1;
  }

  /** A write of the initial count starts the timer; 0 stops it (APM 16.4.1). */
  start(count: number, now: number): void {
    this.initial = count >>> 0;
    this.expires = this.initial === 0 ? Infinity : now + this.initial * this.divisor;
  }

  stop(): void {
    this.initial = 0;
    this.divide = 0;
    this.expires = Infinity;
  }

  /** The current count: pulses of the divided clock until it is 0. */
  current(now: number): number {
    return this.expires === Infinity ? 0 : Math.ceil((this.expires - now) / this.divisor);
  }

  /** Our choice: the count of a timer that runs stays, and goes on with the new clock. */
  setDivide(value: number, now: number): void {
    const left = this.current(now);
    this.divide = value & DIVIDE_WRITABLE;
    if (this.expires !== Infinity) this.expires = now + left * this.divisor;
  }

  /** Whether the count has become 0 up to now. A periodic timer loads its initial count again (APM 16.4.1). */
  advance(now: number, periodic: boolean): boolean {
    if (this.expires > now) return false;
    if (periodic) {
      const period = this.initial * this.divisor;
      this.expires += period * (Math.floor((now - this.expires) / period) + 1);
    } else this.expires = Infinity;
    return true;
  }

  snapshot(): ApicTimerState {
    const { initial, divide, expires } = this;
    return { initial, divide, expires };
  }
  restore({ initial, divide, expires }: ApicTimerState): void {
    Object.assign(this, { initial, divide, expires });
  }
}
