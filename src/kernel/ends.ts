/** How a boot can end before `/init` runs. These are architectural events, not errors of the simulator. */

export type EndKind = 'panic' | 'triple-fault' | 'hung';

/** Unwinds the model's own stack when the simulated CPU can never continue. */
export class BootEnd extends Error {
  constructor(
    readonly kind: EndKind,
    /** The kernel function in which it ended. */
    readonly where: string,
    override readonly message: string,
  ) {
    super(message);
  }
}

/**
 * Unwinds the model's own stack when a CPU other than the boot CPU is lost and the others continue without it: a vector
 * in real mode led it to code that is not the kernel's, it halted, or it waits forever.
 */
export class CpuLost extends Error {
  constructor(
    readonly cpu: number,
    /** The kernel function in which it was lost. */
    readonly where: string,
    why: string,
  ) {
    super(`CPU ${String(cpu)}: ${why}`);
  }
}
