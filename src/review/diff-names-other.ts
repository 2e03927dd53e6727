/** Finds definitions in fragments of assembly, Kconfig and the list of kernel parameters. */
import { scanC } from './diff-names-c.js';
import type { Definition, DefinitionKind, Scan, SideLine } from './diff-side.js';

type Inside = { name: string; kind: DefinitionKind } | undefined;

/** Macros that begin a symbol (include/linux/linkage.h, arch/x86/kernel/head_64.S), those that end one. */
const BEGINS =
  /^\s*(?:ENTRY|GLOBAL|WEAK|NEXT_PAGE|NEXT_PGD_PAGE|SYM_(?:FUNC|CODE|INNER_LABEL|DATA)\w*START\w*|SYM_(?:DATA|INNER_LABEL)\w*)\(\s*([A-Za-z_.$][\w.$]*)/;
const ENDS = /^\s*(?:END|ENDPROC|SYM_\w+_END)\(/;
const LABEL = /^([A-Za-z_.$][\w.$]*):/;

const symbol = (code: string): string | undefined => BEGINS.exec(code)?.[1];

/** Definitions in assembly: symbols, labels, macros. Numeric labels have no name. */
export function scanAssembly(lines: readonly SideLine[], heading: string): Scan {
  const macros = scanC(
    lines.map((line) => ({ ...line, code: /^\s*#\s*define|\\$/.test(line.code) ? line.code : '' })),
    '',
  );
  const definitions: Definition[] = [...macros.definitions];
  const within: Inside[] = [];
  const unplaced: number[] = [];
  const named = symbol(heading) ?? LABEL.exec(heading)?.[1];
  let inside: Inside = named === undefined ? undefined : { name: named, kind: 'function' };
  lines.forEach(({ code }, index) => {
    const macro = macros.within[index];
    if (macro !== undefined) {
      within[index] = macro;
      return;
    }
    if (/^\s*#/.test(code) || code.endsWith('\\')) return;
    const begun = symbol(code);
    const label = LABEL.exec(code)?.[1];
    const [, asMacro] = /^\s*\.macro\s+([A-Za-z_]\w*)/.exec(code) ?? [];
    const name = begun ?? label ?? asMacro;
    if (name !== undefined) {
      const local = name.startsWith('.L');
      const kind = asMacro !== undefined ? 'macro' : begun !== undefined ? 'function' : 'label';
      definitions.push({ name, kind, index });
      // A local label after the end of a symbol begins code of its own.
      if (!local || inside === undefined) inside = { name, kind };
    }
    if (code.trim() !== '') within[index] = inside;
    if (inside === undefined && /^\s+[a-z]/.test(code)) unplaced.push(index);
    if (ENDS.test(code)) inside = undefined;
  });
  return { definitions, within, unplaced };
}

/** Symbols of Kconfig, with CONFIG_ before the name. */
export function scanKconfig(lines: readonly SideLine[], heading: string): Scan {
  const configOf = (code: string): string | undefined =>
    /^(?:config|menuconfig)\s+(\w+)\s*$/.exec(code)?.[1];
  const definitions: Definition[] = [];
  const within: Inside[] = [];
  const named = configOf(heading);
  let inside: Inside =
    named === undefined ? undefined : { name: `CONFIG_${named}`, kind: 'config' };
  lines.forEach(({ code }, index) => {
    const config = configOf(code);
    if (config !== undefined) {
      inside = { name: `CONFIG_${config}`, kind: 'config' };
      definitions.push({ ...inside, index });
    } else if (/^(?:choice|endchoice|menu|endmenu|if|endif|source|comment)\b/.test(code.trim())) {
      inside = undefined;
    }
    if (code.trim() !== '' && !code.startsWith('#')) within[index] = inside;
  });
  return { definitions, within, unplaced: [] };
}

/** Options in Documentation/kernel-parameters.txt: `\tname=` or `\tname`, then a tab and the subsystem in brackets. */
export function scanParameters(lines: readonly SideLine[]): Scan {
  const definitions: Definition[] = [];
  const within: Inside[] = [];
  let inside: Inside;
  lines.forEach(({ code }, index) => {
    const [, name] = /^\t([\w.-]+)=?(?:\s+\[|=?\s*$|=\S|\s)/.exec(code) ?? [];
    if (name !== undefined && /^\t\S/.test(code)) {
      inside = { name, kind: 'option' };
      definitions.push({ ...inside, index });
    }
    if (code.trim() !== '') within[index] = inside;
  });
  return { definitions, within, unplaced: [] };
}
