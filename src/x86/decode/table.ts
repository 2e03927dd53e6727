/**
 * The form of the opcode tables. An entry is a row, `mnemonic operand,operand flag flag`, or a choice between entries:
 *
 * - `reg`: by ModRM.reg, `rm`: by ModRM.rm; a missing entry is an invalid encoding;
 * - `mod`: by ModRM.mod, [memory, register];
 * - `prefix`: by the mandatory prefix (APM vol. 3, 1.2.1);
 * - `osize`: by the effective operand size, [16, 32, 64]; `asize`: by the address size;
 * - `w`: by REX.W (VEX.W, EVEX.W); `l`: by VEX.L;
 * - `mode`: by the code's width, [16 and 32, 64].
 *
 * Flags: `d64`: in 64-bit mode the operand size is 64 unless a 66 prefix makes it 16 (APM vol. 3, 1.2.2, table B-5);
 * `i64`: invalid in 64-bit mode; `o64`: only there; `lock`: LOCK is allowed for a memory destination (APM vol. 3, 1.2.5);
 * `mod3`: ModRM.mod is ignored and r/m a register (APM vol. 3, MOV CRn).
 */
import type { Form } from './instruction.js';

export type Entry = string | Choice | null;

export interface Choice {
  readonly reg?: readonly Entry[];
  readonly rm?: readonly Entry[];
  readonly mod?: readonly [Entry, Entry];
  readonly prefix?: {
    readonly np?: Entry;
    readonly p66?: Entry;
    readonly f3?: Entry;
    readonly f2?: Entry;
  };
  readonly osize?: readonly [Entry, Entry, Entry];
  readonly asize?: readonly [Entry, Entry, Entry];
  readonly w?: readonly [Entry, Entry];
  readonly l?: readonly [Entry, Entry];
  readonly mode?: readonly [Entry, Entry];
}

/** An opcode map: 256 entries, some absent. */
export type OpcodeMap = Readonly<Record<number, Entry>>;

const FLAGS: ReadonlySet<string> = new Set(['d64', 'i64', 'o64', 'lock', 'mod3']);
const forms = new Map<string, Form>();

/** The form of a row. Equal rows are one form. */
export function formOf(row: string): Form {
  let form = forms.get(row);
  if (form === undefined) {
    const words = row.split(' ');
    const flags = words.filter((word) => FLAGS.has(word));
    const rest = words.filter((word) => !FLAGS.has(word));
    const [first = '', second = '', third] = rest;
    const far = second === 'far';
    const operands = far ? third : second;
    form = {
      mnemonic: far ? `${first} far` : first,
      operands: operands === undefined || operands === '' ? [] : operands.split(','),
      flags: new Set(flags),
    };
    forms.set(row, form);
  }
  return form;
}

/** The rows of an entry, of all its choices. */
export function rowsOf(entry: Entry): string[] {
  if (entry === null) return [];
  if (typeof entry === 'string') return [entry];
  const { reg, rm, mod, prefix, osize, asize, w, l, mode } = entry;
  const lists = [reg, rm, mod, osize, asize, w, l, mode, Object.values(prefix ?? {})];
  return lists.flatMap((list) => (list ?? []).flatMap(rowsOf));
}
