export function escaped(text: string): string;
export function anchor(text: string): string;
export function siteLink(href: string): string | undefined;
export function docsPage(markdown: string): string;
export function indexPage(
  scenarios: readonly { readonly name: string; readonly title: string }[],
  docs: readonly { readonly name: string; readonly title: string }[],
  hasMatrix: boolean,
): string;
