/** `foreign-owner-write`, and `key-disagreement` with firmware: writes of memory that has another owner. */
import { KEY_PLAIN } from '../../machine/address.js';
import { cBit, contents, type Access, type Watch } from '../watch.js';

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
      const isOwners = writer?.party === 'platform' || watch.owned.allConverted(range, at, size);
      if (writer === undefined || !isOwners || watch.owned.allRead(range, at, size)) return;
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

/** A write of what was read from the same place, under another key, is a conversion in place and leaves the owner its bytes. */
export function checkConversion(watch: Watch, access: Access): void {
  const { start, length, key } = access;
  const read = watch.owned.readBefore(start, length, key);
  if (read === undefined) return;
  const before = contents(watch, start, read.length, read.key);
  watch.afterwards(() => {
    const now = contents(watch, start, read.length, key);
    if (now === before) watch.owned.converted(start, read.length);
  });
}
