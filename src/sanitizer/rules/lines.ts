/** `mixed-key-line`: cache lines that are in use under two keys. */
import { LINE_SIZE, type KeyId } from '../../machine/address.js';
import type { Origin } from '../../machine/types.js';
import { cBit, withC, type Access, type Watch } from '../watch.js';

/** Calls `visit` with each line of a range. */
function eachLine(start: number, end: number, visit: (line: number) => void): void {
  for (let line = Math.floor(start / LINE_SIZE) * LINE_SIZE; line < end; line += LINE_SIZE) {
    visit(line);
  }
}

/** A write of a line that is dirty under another key: which of the two write-backs comes last decides (APM 7.10.6). */
export function checkAliases(watch: Watch, access: Access): void {
  const { start, length, key } = access;
  const { machine, shadow, writers } = watch;
  if (machine.config.model.sme?.coherent === true) return;
  const first = Math.floor(start / LINE_SIZE) * LINE_SIZE;
  const end = Math.ceil((start + length) / LINE_SIZE) * LINE_SIZE;
  shadow.runs(first, end - first, (at, size, number) => {
    const writer = writers.get(number);
    if (writer === undefined || writer.key === key) return;
    eachLine(at, at + size, (line) => {
      if (!watch.isDirty(line, writer.key)) return;
      watch.report({
        rule: 'mixed-key-line',
        ...watch.by(access),
        ...{ start: line, length: LINE_SIZE, C: cBit(key) },
        what: `a write with ${withC(key)} of a line that is dirty with ${withC(writer.key)}: the later write-back wins`,
        earlier: { what: 'written, not written back', writer },
        outcome: 'nothing yet',
      });
    });
  });
}

/** A line was written back: bytes of it that were written under another key since are lost. */
export function checkWriteBack(
  watch: Watch,
  start: number,
  length: number,
  key: KeyId,
  origin: Origin,
): void {
  const { shadow, writers, host } = watch;
  shadow.runs(start, length, (at, size, number, destroyed) => {
    const writer = writers.get(number);
    if (writer === undefined || writer.key === key || destroyed) return;
    eachLine(at, at + size, (line) => {
      // The newer data is still in the cache: its own write-back comes later.
      if (watch.isDirty(line, writer.key)) return;
      const from = Math.max(at, line);
      const to = Math.min(at + size, line + LINE_SIZE);
      watch.report({
        rule: 'mixed-key-line',
        site: { in: host.nameOf(origin) ?? 'hardware' },
        ...{ start: from, length: to - from, C: cBit(key) },
        what: `the write-back of a line with ${withC(key)} destroys newer bytes`,
        earlier: { what: 'written', writer },
        outcome: 'data lost',
      });
      shadow.destroy(from, to - from);
    });
  });
}

/** CLFLUSH of whole lines: it flushes those under the mapping's key only. */
export function checkClflush(watch: Watch, access: Access): void {
  const { va = 0, start, length, key } = access;
  watch.shadow.runs(start, length, (at, size, number) => {
    const writer = watch.writers.get(number);
    if (writer === undefined || writer.key === key) return;
    eachLine(at, at + size, (line) => {
      if (!watch.isDirty(line, writer.key)) return;
      const from = Math.max(at, line);
      const to = Math.min(at + size, line + LINE_SIZE);
      watch.report({
        rule: 'mixed-key-line',
        ...watch.by(access),
        ...{ start: from, length: to - from, va: va + (line - start), C: cBit(key) },
        what: `a CLFLUSH with ${withC(key)} of a line that is dirty with ${withC(writer.key)}: the line stays`,
        earlier: { what: 'written, not written back', writer },
        outcome: 'nothing yet',
      });
    });
  });
}
