export function sampledFiles(): string[];
export interface Mutant {
  /** Below src/. */
  readonly path: string;
  /** `line:column-line:column`, lines from 1, columns from 0. */
  readonly range: string;
  readonly mutatorName: string;
  readonly replacement: string;
}
export function mutantsOf(paths: readonly string[]): Promise<Mutant[]>;
export function mutated(text: string, mutant: Omit<Mutant, 'path'>): string;
export function identityOf(mutant: Mutant): string;
export function draw(mutants: readonly Mutant[], count: number, seed: number): Mutant[];
export function wilson(hits: number, count: number): number[];
