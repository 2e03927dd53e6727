/** `wrong-key-read` and `key-disagreement`: bytes that are read under another key than they were written with. */
import { requestingCpu } from '../../machine/requester.js';
import type { RuleState } from '../state.js';
import { cBit, describe, withC, type Access, type Watch } from '../watch.js';
import { partyOf, UNWRITTEN, type Writer } from '../writers.js';

export function checkRead(watch: Watch, rules: RuleState, access: Access): void {
  watch.shadow.runs(access.start, access.length, (at, length, number, destroyed) => {
    if (number === UNWRITTEN) {
      rules.uninitialised.check(watch, access, at, length);
      return;
    }
    const writer = watch.writers.get(number);
    if (writer === undefined || (writer.key === access.key && !destroyed)) return;
    readOtherKey(watch, rules, access, at, length, writer, destroyed);
  });
}

function readOtherKey(
  watch: Watch,
  rules: RuleState,
  access: Access,
  start: number,
  length: number,
  writer: Writer,
  destroyed: boolean,
): void {
  const { requester, va, key } = access;
  const same = writer.key === key;
  // A line that is still cached has what was written under its key.
  if (same && watch.isCached(start, key)) return;
  const parties =
    partyOf(requester) === 'device' || writer.party === 'device' || otherCpu(access, writer);
  if (!same) rules.twice.wasMisread(watch, start, length, key, writer);
  watch.report({
    rule: parties ? 'key-disagreement' : 'wrong-key-read',
    ...watch.by(access),
    ...{ start, length, va: va === undefined ? undefined : va + (start - access.start) },
    C: cBit(key),
    what: same
      ? `${describe(access.what)} of bytes that a write-back under the other key destroyed`
      : `${describe(access.what)} with ${withC(key)} of bytes written with ${withC(writer.key)}`,
    earlier: { what: destroyed ? 'written, and destroyed since' : 'written', writer },
    outcome: 'garbage consumed',
  });
}

function otherCpu({ requester }: Access, { party, cpu }: Writer): boolean {
  return party === 'cpu' && requestingCpu(requester) !== cpu;
}
