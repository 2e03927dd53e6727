/** Writes a trace as its difference from another: a line for each edit, the same bytes for the same two traces. */
import { Document, isCollection, isMap, isPair, isScalar, isSeq, visit, type YAMLMap } from 'yaml';
import type { TraceChanges } from './changes.js';
import { inOrder, WRITING, type PrintOptions } from '../trace/yaml-out.js';
import { hexAsText } from '../base/yaml-source.js';

/** Whether an entry of a list has several lines: a step with its edits, or a new one with its events. */
function isStep(map: YAMLMap): boolean {
  const { value } = map.items[0] ?? {};
  return map.has('events') || (isMap(value) && value.has('events'));
}

/** The events that edits add, their keys in the vocabulary's order. */
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

/** The file of a trace. `base`: the base's file from the folder of this one, with slashes. */
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
      // A new step: `add:` and below it the label and the events.
      if (
        isPair(around) &&
        isScalar(around.key) &&
        around.key.value === 'add' &&
        isCollection(node)
      )
        node.flow = isMap(node) && !node.has('events');
    },
  });
  const body = document.toString(WRITING);
  return options.schema === undefined
    ? body
    : `# yaml-language-server: $schema=${options.schema}\n${body}`;
}
