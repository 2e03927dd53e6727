// The bundles of scripts/build.mjs: each file of dist/ with its entry module.
export const ENTRY_POINTS = {
  'sme-boot': 'src/cli/main.ts',
  'matrix-worker': 'src/cli/matrix-worker.ts',
};
