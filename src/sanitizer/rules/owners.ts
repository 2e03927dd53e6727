/** `foreign-owner-write`, and `key-disagreement` with firmware: writes of memory that has another owner. */
import { KEY_PLAIN } from '../../machine/address.js';
import { cBit, type Access, type Watch } from '../watch.js';

export function checkOwner(watch: Watch, access: Access): void {
  const { va, key } = access;
  watch.owned.overlaps(access.start, access.length, (range, start, length) => {
    const places = (at: number, size: number) => ({
      ...watch.by(access),
      ...{ start: at, length: size, va: va === undefined ? undefined : va + at - access.start },
      C: cBit(key),
    });
    if (range.use === 'firmware') {
      if (key === KEY_PLAIN) return;
      const what = 'a write with C=1 of memory that firmware reads with C=0';
      const rule = 'key-disagreement';
      watch.report({ ...places(start, length), rule, what, outcome: 'nothing yet' });
      return;
    }
    watch.shadow.runs(start, length, (at, size, number) => {
      const writer = watch.writers.get(number);
      if (writer?.party !== 'platform' || watch.owned.allRead(range, at, size)) return;
      watch.report({
        ...places(at, size),
        rule: 'foreign-owner-write',
        what: 'a write over bytes that have not been read since they were put there',
        earlier: { what: 'put there', writer },
        outcome: 'data lost',
      });
    });
  });
}
