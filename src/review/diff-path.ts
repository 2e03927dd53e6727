/** Paths in the headers of a diff. They are only compared and printed: no file is opened by one. */

/** Characters of git's quoted paths (quote.c, unquote_c_style). */
const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['b', 8],
  ['t', 9],
  ['n', 10],
  ['v', 11],
  ['f', 12],
  ['r', 13],
  ['"', 0x22],
  ['\\', 0x5c],
]);

/** A path that may be quoted: `"a/\303\244"`. */
function plain(text: string): string {
  const [, inner] = /^"((?:[^"\\]|\\.)*)"$/.exec(text) ?? [];
  if (inner === undefined) return text;
  const bytes: number[] = [];
  for (const [part, escape] of inner.matchAll(/\\([0-3][0-7]{2}|.)|[^\\]/gsu)) {
    if (escape === undefined) bytes.push(...new TextEncoder().encode(part));
    else if (/^[0-3][0-7]{2}$/.test(escape)) bytes.push(parseInt(escape, 8));
    else bytes.push(ESCAPES.get(escape) ?? escape.charCodeAt(0));
  }
  return new TextDecoder('utf-8').decode(Uint8Array.from(bytes));
}

/** A path without the prefix that git adds (diff.mnemonicPrefix: i, w, c, o). */
const unprefixed = (path: string): string => path.replace(/^[abiwco]\//, '');

/** The path of a line `--- a/FILE` or `+++ b/FILE`; undefined: /dev/null. */
function ofLine(line: string): string | undefined {
  const path = plain(line.slice('--- '.length).replace(/\t.*$/, '').trimEnd());
  return path === '/dev/null' ? undefined : unprefixed(path);
}

/** The two paths of a line `diff --git a/FILE b/FILE`; undefined: they cannot be told apart. */
function ofGitLine(text: string): readonly [string, string] | undefined {
  const quoted = /^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)$/.exec(text);
  if (quoted !== null)
    return [unprefixed(plain(quoted[1] ?? '')), unprefixed(plain(quoted[2] ?? ''))];
  // Names with spaces: both are the same but for the prefix.
  const half = (text.length - 1) / 2;
  const [one, other] = [text.slice(0, half), text.slice(half + 1)];
  const same = text[half] === ' ' && unprefixed(one) === unprefixed(other);
  return same ? [unprefixed(one), unprefixed(other)] : undefined;
}

export const diffPath = { plain, ofLine, ofGitLine };
