/** The frame of a page of HTML: its head, and the policy of what it may load. */

/** The parts of a page; all of it is HTML. */
export interface HtmlPage {
  /** The Content-Security-Policy. */
  readonly policy: string;
  readonly title: string;
  readonly generator?: string;
  readonly style?: string;
  /** Without a newline at its end. */
  readonly body: string;
}

/** A whole page. */
export function htmlPage({ policy, title, generator, style, body }: HtmlPage): string {
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    ...(generator === undefined ? [] : [`<meta name="generator" content="${generator}">`]),
    `<title>${title}</title>`,
    ...(style === undefined ? [] : [`<style>${style}</style>`]),
    '</head>',
    '<body>',
    body,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
