/** System.map, a kernel build's list of symbols: the output of `nm -n` without some lines (scripts/mksysmap). */
import { InputError } from '../../base/errors.js';
import { SymbolTable, type ImageSymbol } from './symbols.js';

/** A line: 16 hexadecimal digits, nm's letter, the name, shorter than KSYM_NAME_LEN (include/linux/kallsyms.h, 6.1). */
const LINE = /^([0-9a-f]{8})([0-9a-f]{8}) ([A-Za-z?]) (\S{1,511})$/;
const TWO_32 = 2 ** 32;
const SHOWN = 60;

/**
 * Reads the text of a System.map.
 *
 * @throws InputError E_BAD_SYSTEM_MAP with the line, or without a line if `_text` is missing (a placeholder file).
 */
export function readSystemMap(text: string, file: string): SymbolTable {
  const list: ImageSymbol[] = [];
  const lines = text.split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '' && index === lines.length - 1) break;
    const [, high, low, type, name] = LINE.exec(line) ?? [];
    if (high === undefined || low === undefined || type === undefined || name === undefined) {
      throw new InputError({
        code: 'E_BAD_SYSTEM_MAP',
        place: { file, line: index + 1 },
        expected: 'a 64-bit address in hexadecimal, a letter and a name of at most 511 characters',
        found: JSON.stringify(line.slice(0, SHOWN)),
      });
    }
    // Absolute symbols may have any value; one that a double does not hold exactly is not an address.
    const address = (parseInt(high, 16) | 0) * TWO_32 + parseInt(low, 16);
    if (Number.isSafeInteger(address)) list.push({ name, address, type });
  }
  const table = new SymbolTable(list);
  if (table.get('_text') === undefined) {
    throw new InputError({
      code: 'E_BAD_SYSTEM_MAP',
      place: { file },
      expected: 'the symbol _text',
      found: `${list.length} symbol${list.length === 1 ? '' : 's'} without it`,
    });
  }
  return table;
}
