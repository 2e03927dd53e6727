// The bundles of scripts/build.mjs: each file of dist/ with its entry module.
export const ENTRY_POINTS = {
  'sme-boot': 'src/cli/main.ts',
  'check-worker': 'src/cli/check-worker.ts',
  'matrix-worker': 'src/cli/matrix-worker.ts',
};

/** The library in dist/lib/, for other programs: the `exports` of package.json. */
export const LIBRARY = {
  'sme-boot': 'src/node/library.ts',
  machine: 'src/lib/machine.ts',
  trace: 'src/lib/trace.ts',
};

/** The parts of the viewer's page, in dist/view/. */
export const VIEWER = {
  page: 'src/view/page/main.tsx',
  worker: 'src/view/worker/main.ts',
  style: 'src/view/page/view.css',
};

/** Modules of WebAssembly that dist/ has beside the program: paths below node_modules/. */
export const WASM = ['web-tree-sitter/web-tree-sitter.wasm', 'tree-sitter-c/tree-sitter-c.wasm'];
