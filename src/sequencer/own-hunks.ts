/**
 * Own hunks of a boot: the header's list, and errors of JavaScript in their code, which are not the simulator's.
 */
import { InputError, type Place } from '../base/errors.js';
import { CpuLost } from '../kernel/ends.js';
import { describeThrown, partsOf } from '../base/thrown.js';
import type { OwnHunk } from '../kernel/hunk.js';
import type { TraceHeader } from '../trace/trace.js';

/** Errors that a wrong value or call raises. By name: the code of a module may have classes of another realm. */
const PROGRAMMING = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'Error']);

/** Codes with which Ctrl-C ends code. */
const INTERRUPTS = new Set(['ERR_SCRIPT_EXECUTION_INTERRUPTED', 'EINTR']);

/** What a boot knows of its own hunks. */
interface Own {
  readonly extra?: readonly OwnHunk[];
  readonly ownHunks?: TraceHeader['ownHunks'];
}

/** The first place of a stack that is in a module of own hunks, or in a file that one imports. */
function placeIn(stack: string, { ownHunks = [] }: Own): Place | undefined {
  const paths = ownHunks.flatMap(({ path, imports = [] }) => [
    ...(path === undefined ? [] : [path]),
    ...imports.map((each) => each.path),
  ]);
  for (const [, file = '', line, column] of stack.matchAll(/file:\/\/(\S+?):(\d+):(\d+)/g)) {
    const path = paths.find((each) => decodeURI(file).endsWith(`/${each.replace(/^[./]+/, '')}`));
    if (path !== undefined) return { file: path, line: Number(line), column: Number(column) };
  }
  return undefined;
}

/**
 * The error for what a step threw: with own hunks, an error of JavaScript is E_OWN_HUNK with the line of the module, if
 * its code was running, and the step. Anything else is returned as it is.
 */
export function ownFault(thrown: unknown, own: Own, step: string): unknown {
  const { extra = [] } = own;
  if (extra.length === 0 || thrown instanceof InputError || thrown instanceof CpuLost)
    return thrown;
  const { name, stack, code } = partsOf(thrown);
  if (name !== '' && (!PROGRAMMING.has(name) || INTERRUPTS.has(code))) return thrown;
  const place = placeIn(stack, own);
  const ids = extra.map(({ id }) => id).join(', ');
  return new InputError({
    code: 'E_OWN_HUNK',
    place: place ?? { path: `step ${step}` },
    reason:
      place === undefined
        ? `with the own hunks ${ids} the model threw ${describeThrown(thrown)}; one of them returned, passed or wrote a value of a wrong kind`
        : `its code threw in step ${step}: ${describeThrown(thrown)}`,
    cause: thrown,
  });
}

/** The own hunks of a boot, as its header has them. */
export function ownHeader({ extra = [], ownHunks }: Own): Pick<TraceHeader, 'ownHunks'> {
  if (extra.length === 0) return {};
  return { ownHunks: ownHunks ?? [{ hunks: extra.map(({ id }) => id) }] };
}
