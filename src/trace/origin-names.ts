/** Numbers for the names of code and devices, by which an access carries its origin. */

export class OriginNames {
  private readonly names: string[] = [];
  private readonly origins = new Map<string, number>();

  constructor() {
    this.intern('');
  }

  /** The integer for a name; 0 is '', the hardware itself. */
  intern(name: string): number {
    const known = this.origins.get(name);
    if (known !== undefined) return known;
    const origin = this.names.push(name) - 1;
    this.origins.set(name, origin);
    return origin;
  }

  /** The name of an interned integer; undefined if there is none. */
  nameOf(origin: number): string | undefined {
    return this.names[origin];
  }

  /** All names, by their integers. */
  snapshot(): readonly string[] {
    return [...this.names];
  }

  /** Restores a result of {@link snapshot}. */
  restore(names: readonly string[]): void {
    this.names.length = 0;
    this.origins.clear();
    for (const name of names) this.intern(name);
  }
}
