// ts-jest, with the globals of each module bound to constants of that module. Jest runs modules in a context of
// node:vm, where each use of a global (`Math`, `Uint8Array`) goes through an interceptor and is never inlined: a boot
// takes several times as long there. Nothing else about the modules changes.
import { runInNewContext } from 'node:vm';
import tsJest from 'ts-jest';

/** Names of ECMAScript that no module may bind, or that are names of the project's own or of other things. */
const UNBOUND = ['eval', 'undefined', 'globalThis', 'escape', 'unescape', 'console', 'Date'];
/** Besides ECMAScript's own, those that the sources use. */
const MORE = ['TextDecoder', 'TextEncoder', 'structuredClone'];
const GLOBALS = [...runInNewContext('Object.getOwnPropertyNames(globalThis)'), ...MORE].filter(
  (name) => !UNBOUND.includes(name),
);

/** The result of ts-jest with one more declaration on its first line, so that line numbers do not change. */
function bound(result) {
  const used = GLOBALS.filter((name) => new RegExp(`\\b${name}\\b`).test(result.code));
  if (used.length === 0) return result;
  return { ...result, code: `const { ${used.join(', ')} } = globalThis; ${result.code}` };
}

export default {
  createTransformer(options) {
    const inner = tsJest.default.createTransformer(options);
    return {
      getCacheKey: (...args) => `${inner.getCacheKey(...args)}-${GLOBALS.join()}`,
      process: (...args) => bound(inner.process(...args)),
      processAsync: async (...args) => bound(await inner.processAsync(...args)),
    };
  },
};
