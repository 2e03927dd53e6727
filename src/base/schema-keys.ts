/** The keys that a schema allows at a path, for errors about an unknown key. */
import * as z from 'zod';
import { ownOf } from './own.js';

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A node of a JSON Schema with its alternatives, and what it refers to. */
function variants(root: Node, node: unknown): Node[] {
  if (!isNode(node)) return [];
  const { $ref: ref } = node;
  const target =
    typeof ref === 'string'
      ? ref
          .split('/')
          .slice(1)
          .reduce<unknown>((at, key) => ownOf(at, key), root)
      : undefined;
  const lists = [node.anyOf, node.oneOf, node.allOf].flatMap((list) =>
    Array.isArray(list) ? (list as unknown[]) : [],
  );
  return [node, ...[target, ...lists].flatMap((each) => variants(root, each))];
}

/** The nodes one step below a node. */
function below(node: Node, key: string | number): unknown {
  if (typeof key === 'number') return node.items;
  const { properties } = node;
  return isNode(properties) && Object.hasOwn(properties, key)
    ? ownOf(properties, key)
    : node.additionalProperties;
}

/** The keys of a mapping at `path` in what `schema` accepts; those of all alternatives of a union. */
export function keysAt(schema: z.ZodType, path: readonly (string | number)[]): string[] {
  const root: Node = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const nodes = path.reduce<Node[]>(
    (at, key) => at.flatMap((node) => variants(root, below(node, key))),
    variants(root, root),
  );
  const keys = nodes.flatMap(({ properties }) =>
    isNode(properties) ? Object.keys(properties) : [],
  );
  return [...new Set(keys)];
}
