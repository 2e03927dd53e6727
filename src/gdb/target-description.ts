/** The description of the registers that gdb reads with `qXfer:features:read` (Debugging with GDB, G). */
import { own } from '../base/own.js';
import { FLAG } from '../x86/flags.js';
import { FEATURES, type Feature } from './registers.js';

const UNTYPED: ReadonlySet<string> = new Set(['IOPL', 'ONE']);

/** Flags of one bit, by name (G.3, `flags`). */
function eflags(): string {
  const fields = Object.entries(FLAG)
    .filter(([name]) => !UNTYPED.has(name))
    .map(([name, mask]) => {
      const bit = String(31 - Math.clz32(mask));
      return `<field name="${name}" start="${bit}" end="${bit}"/>`;
    });
  return `<flags id="i386_eflags" size="4">${fields.join('')}</flags>`;
}

/** The views of a media register (G.3, `union`). */
const VIEWS = [
  ['v4_float', 'ieee_single', 4],
  ['v2_double', 'ieee_double', 2],
  ['v16_int8', 'int8', 16],
  ['v8_int16', 'int16', 8],
  ['v4_int32', 'int32', 4],
  ['v2_int64', 'int64', 2],
] as const;

function vec128(): string {
  const vectors = VIEWS.map(
    ([name, type, count]) => `<vector id="${name}_t" type="${type}" count="${String(count)}"/>`,
  );
  const fields = VIEWS.map(([name]) => `<field name="${name}" type="${name}_t"/>`);
  const all = `${fields.join('')}<field name="uint128" type="uint128"/>`;
  return `${vectors.join('')}<union id="vec128">${all}</union>`;
}

const TYPES: Readonly<Record<string, () => string>> = {
  'org.gnu.gdb.i386.core': eflags,
  'org.gnu.gdb.i386.sse': vec128,
};

function featureXml({ name, registers }: Feature): string {
  const rows = registers.map(
    (each) => `<reg name="${each.name}" bitsize="${String(each.bits)}" type="${each.type}"/>\n`,
  );
  return `<feature name="${name}">\n${own(TYPES, name)?.() ?? ''}\n${rows.join('')}</feature>\n`;
}

/** The file `target.xml`. */
export const TARGET_XML = `<?xml version="1.0"?>
<!DOCTYPE target SYSTEM "gdb-target.dtd">
<target version="1.0">
<architecture>i386:x86-64</architecture>
${FEATURES.map(featureXml).join('')}</target>
`;
