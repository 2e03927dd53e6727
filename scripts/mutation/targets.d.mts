export const TARGETS: Readonly<
  Record<string, { readonly files: readonly string[]; readonly tests: readonly string[] }>
>;
export const BOOTS: readonly string[];
export function isInBoots(source: string): boolean;
export function targetOf(source: string): string | undefined;
export function testsFor(source: string): string[];
export function filesOf(name: string): readonly string[] | undefined;
