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
