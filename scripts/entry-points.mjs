// What scripts/build.mjs bundles: each file of dist/ with the module that it starts with.
export const ENTRY_POINTS = {
  'sme-boot': 'src/cli/main.ts',
  'matrix-worker': 'src/cli/matrix-worker.ts',
};
