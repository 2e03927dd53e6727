/** Changed values of a scenario, each `PATH=VALUE`. */

/** The value of a setting by its path; '' if it is not changed. */
export const valueOf = (set: readonly string[], path: string): string =>
  set.find((each) => each.startsWith(`${path}=`))?.slice(path.length + 1) ?? '';

/** The settings with a value for a path; '' takes it away. */
export function withValue(set: readonly string[], path: string, value: string): string[] {
  const rest = set.filter((each) => !each.startsWith(`${path}=`));
  return value === '' ? rest : [...rest, `${path}=${value}`];
}
