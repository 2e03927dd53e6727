/** The types of test-groups.mjs, for its tests. */
export interface Run {
  readonly groups: readonly string[];
  readonly options?: readonly string[];
  readonly cases?: 'first';
}
export const GROUPS: Readonly<Record<string, RegExp>>;
export const SCRIPTS: Readonly<Record<string, readonly Run[]>>;
export const BY_PATH: readonly Run[];
export function groupOf(path: string): string | undefined;
export function testFiles(folder?: string): string[];
export function leftTo(
  script: string,
  counts?: { readonly files?: readonly string[]; readonly cases?: number },
): string;
