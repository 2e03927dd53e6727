/** Writes a trace as its difference from another: a line for each edit. Deterministic. */
import { Document, isCollection, isMap, isPair, isScalar, isSeq, visit, type YAMLMap } from 'yaml';
import type { TraceChanges } from './changes.js';
import { inOrder, type PrintOptions } from '../trace/yaml-out.js';
import { hexAsText } from '../base/yaml-source.js';
import { yamlText } from '../base/yaml-text.js';

/** Whether a list entry is in block style: a step with its edits, or a new step with its events. */
function isStep(map: YAMLMap): boolean {
  const { value } = map.items[0] ?? {};
  return map.has('events') || (isMap(value) && value.has('events'));
}

/** The changes with the keys of added events in the vocabulary's order. */
function ordered(changes: TraceChanges): TraceChanges {
  const { steps } = changes;
  if (steps === undefined) return changes;
  return {
    ...changes,
    steps: steps.map((edit) => {
      if ('add' in edit) {
        const { label, events } = edit.add;
        return { add: { label, events: events.map(inOrder) } };
      }
      if (!('step' in edit)) return edit;
      const events = edit.events.map((each) => ('add' in each ? { add: inOrder(each.add) } : each));
      return { step: edit.step, events };
    }),
  };
}

/** The text of the file. `base`: path of the base relative to the folder of the file, with slashes. */
export function printChanges(
  base: string,
  changes: TraceChanges,
  options: PrintOptions = {},
): string {
  const whole = { expect: 'exact', base, changes: ordered(changes) };
  const document = new Document(whole, { ...hexAsText, aliasDuplicateObjects: false });
  visit(document, {
    Collection: (_key, node, ancestors) => {
      const around = ancestors.at(-1);
      if (isMap(node)) node.flow = node.items.length === 0 || (isSeq(around) && !isStep(node));
      else if (isSeq(node)) node.flow = node.items.length === 0;
      // A new step: `add:`, with the label and the events in block style below it.
      if (
        isPair(around) &&
        isScalar(around.key) &&
        around.key.value === 'add' &&
        isCollection(node)
      )
        node.flow = isMap(node) && !node.has('events');
    },
  });
  const body = yamlText(document);
  return options.schema === undefined
    ? body
    : `# yaml-language-server: $schema=${options.schema}\n${body}`;
}
