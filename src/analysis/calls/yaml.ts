/** Prints results of call scripts as YAML; deterministic. */
import { Document, isCollection, isMap, isSeq, visit } from 'yaml';
import { reportInOrder } from '../../trace/report.js';
import { inOrder } from '../../trace/yaml-out.js';
import { hexAsText } from '../../base/yaml-source.js';
import { yamlText } from '../../base/yaml-text.js';
import type { ScriptResult } from './calls.js';

/** A list of results: a block per step, a line per event and per level of a walk. */
export function printScripts(results: readonly ScriptResult[]): string {
  const data = results.map((result) => ({
    ...result,
    steps: result.steps.map((step) => ({ ...step, events: step.events.map(inOrder) })),
    ...(result.reports !== undefined && { reports: result.reports.map(reportInOrder) }),
  }));
  const document = new Document(data, { ...hexAsText, aliasDuplicateObjects: false });
  visit(document, {
    Collection: (_key, node, ancestors) => {
      const plain = node.items.length === 0 || !holdsCollections(node);
      // Steps and results are always blocks.
      const inList = isSeq(ancestors.at(-1));
      const depth = ancestors.filter(isSeq).length;
      node.flow = plain && (isSeq(node) || !inList || depth > 2);
    },
  });
  return yamlText(document);
}

function holdsCollections(node: unknown): boolean {
  if (isSeq(node)) return node.items.some(isCollection);
  return isMap(node) && node.items.some(({ value }) => isCollection(value));
}
