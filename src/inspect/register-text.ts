/** Registers as text. */

/** The value of a register in a line: `0x80050033  bits PG,WP`. */
export function registerText(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([key, v]) => (key === 'value' ? String(v) : `${key} ${String(v)}`))
        .join('  ')
    : String(value);
}
