// A lint rule: a record is never indexed by a string that may come from input. `record['constructor']` is a function
// of Object.prototype; own() of src/base/own.ts finds own properties only, and a Map has no others.
import ts from 'typescript';

const isText = (type) => (type.flags & ts.TypeFlags.String) !== 0;
const partsOf = (type) => (type.isUnion() ? type.types : [type]);

/** Whether an expression is only assigned to. */
const isTarget = (node) =>
  node.parent?.type === 'AssignmentExpression' &&
  node.parent.left === node &&
  node.parent.operator === '=';

const own = {
  meta: {
    type: 'problem',
    docs: { description: 'a record is read by own(), never by an index' },
    messages: {
      record: 'The name may be one of Object.prototype: use own() of base/own.ts, or a Map.',
      reflect: 'Reflect.get finds names of Object.prototype: use ownOf() of base/own.ts.',
    },
    schema: [],
  },
  create(context) {
    const { esTreeNodeToTSNodeMap: nodes, program } = context.sourceCode.parserServices ?? {};
    // Without types (the lint rules' own tests) there is nothing to ask.
    if (!program) return {};
    const checker = program.getTypeChecker();
    const typeOf = (node) => checker.getTypeAtLocation(nodes.get(node));
    const isRecord = (type) =>
      partsOf(type).some((part) =>
        checker.getIndexInfosOfType(part).some(({ keyType }) => isText(keyType)),
      );
    return {
      'MemberExpression[computed=true]': (node) => {
        if (isTarget(node) || !partsOf(typeOf(node.property)).some(isText)) return;
        if (isRecord(typeOf(node.object))) context.report({ node, messageId: 'record' });
      },
      "CallExpression[callee.object.name='Reflect'][callee.property.name='get']": (node) => {
        context.report({ node, messageId: 'reflect' });
      },
    };
  },
};

export default { meta: { name: 'lookups' }, rules: { own } };
