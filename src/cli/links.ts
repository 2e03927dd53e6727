/** Links to a posting and to the kernel source on the web, from templates (`--links`). */
import { InputError } from '../base/errors.js';
import { own } from '../base/own.js';
import { isPrintable } from '../base/printable.js';
import { suggest } from '../base/suggest.js';

/** The placeholders that each template may have; the first one is required. */
const PLACEHOLDERS = {
  lore: ['messageId'],
  source: ['file', 'release'],
  ident: ['function', 'file', 'release'],
} as const;

type Name = keyof typeof PLACEHOLDERS;
const NAMES: readonly Name[] = ['lore', 'source', 'ident'];

/** Templates by name; an empty one makes no link. */
export type LinkTemplates = Readonly<Record<Name, string>>;

/** The archive of kernel lists, and the cross-reference of the kernel source that most reviews link to. */
export const DEFAULT_LINKS: LinkTemplates = {
  lore: 'https://lore.kernel.org/r/{messageId}',
  source: 'https://elixir.bootlin.com/linux/{release}/source/{file}',
  ident: 'https://elixir.bootlin.com/linux/{release}/A/ident/{function}',
};

/** What `--links` takes, for the help. */
export const LINKS_FORM = 'lore=URL,source=URL,ident=URL';

const isName = (text: string): text is Name => NAMES.some((name) => name === text);

const refuse = (details: { reason: string; expected: string; found: string }): InputError =>
  new InputError({ code: 'E_LINKS', place: { path: '--links' }, ...details });

/** Checks a template. Throws E_LINKS. */
function checkTemplate(name: Name, template: string): void {
  const known = PLACEHOLDERS[name];
  const [needed] = known;
  const form = known.map((each) => `{${each}}`).join(', ');
  const given = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, each = '']) => each);
  const other = given.find((each) => !known.some((one) => one === each));
  if (other !== undefined) {
    throw new InputError({
      code: 'E_LINKS',
      place: { path: '--links' },
      reason: `${name} has no such placeholder`,
      expected: form,
      found: `{${other}}`,
      ...suggest(other, known),
    });
  }
  if (template === '') return;
  if (!/^https?:\/\/[^\s"<>]+$/.test(template) || !isPrintable(template)) {
    throw refuse({
      reason: `${name} is no address of the web`,
      expected: 'http:// or https://, without blanks',
      found: JSON.stringify(template),
    });
  }
  if (!given.includes(needed)) {
    throw refuse({
      reason: `${name} would be the same for all`,
      expected: `{${needed}} in it`,
      found: template,
    });
  }
}

/**
 * The templates of `--links`, which may be repeated: `lore=URL,source=URL`. A comma ends one only before the name of
 * another. Throws E_LINKS.
 */
export function linkTemplates(given: readonly string[]): LinkTemplates {
  const parts = given.flatMap((text) => text.split(/,(?=[a-z]+=)/));
  const set = parts.map((part): [Name, string] => {
    const [, name = part, template] = /^([^=]*)=(.*)$/s.exec(part) ?? [];
    if (!isName(name) || template === undefined) {
      throw new InputError({
        code: 'E_LINKS',
        place: { path: '--links' },
        expected: LINKS_FORM,
        found: JSON.stringify(part),
        ...(isName(name) ? {} : suggest(name, NAMES)),
      });
    }
    checkTemplate(name, template);
    return [name, template];
  });
  return { ...DEFAULT_LINKS, ...Object.fromEntries(set) };
}

/** A part of a link's path: only what a path cannot have is escaped. */
const inPath = (text: string): string => encodeURI(text).replace(/[?#]/g, encodeURIComponent);

/** A link, with each placeholder replaced; undefined for an empty template. */
export function linkOf(
  templates: LinkTemplates,
  name: Name,
  values: Readonly<Record<string, string>>,
): string | undefined {
  const template = templates[name];
  if (template === '') return undefined;
  return template.replace(/\{(\w+)\}/g, (_, key: string) => inPath(own(values, key) ?? ''));
}
