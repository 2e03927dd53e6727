/** `wrong-key-read` and `key-disagreement`: bytes that are read under another key than they were written with. */
import { requestingCpu } from '../../machine/requester.js';
import { eachLine } from './lines.js';
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
  const parties =
    partyOf(requester) === 'device' || writer.party === 'device' || otherCpu(access, writer);
  if (!same) rules.twice.wasMisread(watch, start, length, key, writer);
  const report = (from: number, bytes: number): void => {
    watch.report({
      rule: parties ? 'key-disagreement' : 'wrong-key-read',
      ...watch.by(access),
      ...{
        start: from,
        length: bytes,
        va: va === undefined ? undefined : va + from - access.start,
      },
      C: cBit(key),
      what: same
        ? `${describe(access.what)} of bytes that a write under the other key destroyed`
        : `${describe(access.what)} with ${withC(key)} of bytes written with ${withC(writer.key)}`,
      earlier: { what: destroyed ? 'written, and destroyed since' : 'written', writer },
      outcome: 'garbage consumed',
    });
  };
  if (!same) {
    report(start, length);
    return;
  }
  eachLine(start, start + length, (_line, from, to) => {
    // A line that was cached before has what was written.
    if (!watch.survives(from, to - from, key)) report(from, to - from);
  });
}

function otherCpu({ requester }: Access, { party, cpu }: Writer): boolean {
  return party === 'cpu' && requestingCpu(requester) !== cpu;
}
