// A plugin of StrykerJS for --sample: a range of a drawn mutant may have others inside it, which are not run. The drawn
// mutants come in SME_BOOT_DRAWN, as `line:column-line:column` by path below src/.
import process from 'node:process';
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

const DRAWN = new Map(
  Object.entries(JSON.parse(process.env.SME_BOOT_DRAWN || '{}')).map(([path, ranges]) => [
    path,
    ranges.map((range) => range.split(/[:-]/).map(Number)),
  ]),
);

const order = (a, b) => a[0] - b[0] || a[1] - b[1];

/** Whether a node is a drawn one, or has one inside it. */
function leadsToDrawn({ start, end }, ranges) {
  return ranges.some(
    ([line, column, lastLine, lastColumn]) =>
      order([start.line, start.column], [line, column]) <= 0 &&
      order([lastLine, lastColumn], [end.line, end.column]) <= 0,
  );
}

export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'drawn', {
    shouldIgnore(path) {
      const file = path.hub?.file?.opts?.filename ?? '';
      const ranges = DRAWN.get(file.replaceAll('\\', '/').replace(/^.*\/src\//, ''));
      if (ranges === undefined || path.node.loc === undefined) return undefined;
      return leadsToDrawn(path.node.loc, ranges) ? undefined : 'not drawn';
    },
  }),
];
