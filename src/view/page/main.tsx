/** The viewer's page; scripts/viewer.mjs bundles it. */
import { render } from 'preact';
import { App } from './app.js';
import type { ViewData } from './data.js';

/** The text of a data element. */
function textOf(id: string): string {
  const found = document.getElementById(id);
  if (!(found instanceof HTMLScriptElement)) throw new Error(`the page has no ${id}`);
  return found.text;
}

const root = document.getElementById('view');
if (root === null) throw new Error('the page has no place for the viewer');
root.textContent = '';
render(
  <App data={JSON.parse(textOf('view-data')) as ViewData} worker={textOf('view-worker')} />,
  root,
);
