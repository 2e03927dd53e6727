/** How a boot can end before `/init` runs: architectural events, not errors of the simulator. */

export type EndKind = 'panic' | 'triple-fault' | 'hung';

/** Unwinds the model's own stack when the simulated CPU will never go on. */
export class BootEnd extends Error {
  constructor(
    readonly kind: EndKind,
    /** The function it happened in. */
    readonly where: string,
    override readonly message: string,
  ) {
    super(message);
  }
}

/**
 * Unwinds the model's own stack where a CPU other than the boot CPU will never come back, and the others go on without
 * it: in real mode it went through the firmware's vectors to code that is not the kernel's, or it waits for ever.
 */
export class CpuAstray extends Error {
  constructor(
    readonly cpu: number,
    /** The function it went astray in. */
    readonly where: string,
    why: string,
  ) {
    super(`CPU ${String(cpu)}: ${why}`);
  }
}
