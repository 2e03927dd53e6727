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
 * Unwinds the model's own stack where a CPU in real mode goes to code that is not the kernel's, through a vector of the
 * firmware's table. Our choice: such a CPU is not followed; it never comes back, and the others go on without it.
 */
export class CpuAstray extends Error {
  constructor(
    readonly cpu: number,
    /** The function it went astray in. */
    readonly where: string,
    /** The linear address that it went to. */
    readonly address: number,
  ) {
    super(`CPU ${String(cpu)} runs unknown code at ${String(address)}`);
  }
}
