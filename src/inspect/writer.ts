/** The names of those who wrote memory. */
/** The writer of lines that no modelled function wrote. */
const UNNAMED = 'firmware, loader or hardware';

/** What gives the names of origins: a boot. */
export interface Named {
  nameOf(origin: number): string | undefined;
}

/** The function or device that an access was attributed to. */
export function writerName(named: Named, origin: number): string {
  const name = named.nameOf(origin) ?? '';
  return name === '' ? UNNAMED : name;
}
