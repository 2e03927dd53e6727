/** Parts of what was thrown, which may be anything, and an error of another realm. */

export interface Thrown {
  /** The error's class; '' for a value that is no error. */
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** The code of an error of Node or of the system; '' if it has none. */
  readonly code: string;
}

export function partsOf(thrown: unknown): Thrown {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  if (typeof thrown !== 'object' || thrown === null) {
    return { name: '', message: String(thrown), stack: '', code: '' };
  }
  return {
    name: text('name' in thrown ? thrown.name : ''),
    message: text('message' in thrown ? thrown.message : ''),
    stack: text('stack' in thrown ? thrown.stack : ''),
    code: text('code' in thrown ? thrown.code : ''),
  };
}

/** What was thrown, in a line: `TypeError: x is not a function`. */
export function describeThrown(thrown: unknown): string {
  const { name, message } = partsOf(thrown);
  return name === '' ? `a value: ${message}` : `${name}: ${message.split('\n')[0] ?? ''}`;
}
