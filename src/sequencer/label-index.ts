/** Labels of boot steps by name. */
import { InputError } from '../base/errors.js';
import { suggest } from '../base/suggest.js';

/** The index of a label in `labels`. Throws E_LABEL if it is not one of them. */
export function labelIndex(labels: readonly string[], label: string): number {
  const index = labels.indexOf(label);
  if (index >= 0) return index;
  throw new InputError({
    code: 'E_LABEL',
    reason: 'no such label',
    expected: 'a label of "sme-boot list labels"',
    found: label,
    ...suggest(label, labels),
  });
}
