// Which part of the tests runs is chosen by scripts/jest.mjs: test/real/, test/browser/ and test/live/
// need what a new machine lacks, and run only when they are asked for.
const part = process.env.SME_BOOT_TESTS ?? 'all';
const folder = ['real', 'browser', 'live', 'stages'].includes(part) ? `${part}/` : '';
const apart =
  {
    all: ['real', 'browser', 'live'],
    units: ['real', 'browser', 'live', 'stages'],
  }[part] ?? [];

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // By default one core stays free, which is half of a small machine.
  maxWorkers: '100%',
  roots: ['<rootDir>/test'],
  testMatch: [`<rootDir>/test/${folder}**/*.test.ts`],
  testPathIgnorePatterns: ['/node_modules/', ...apart.map((name) => `<rootDir>/test/${name}/`)],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['<rootDir>/scripts/jest-transform.mjs', { useESM: true }] },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  // The script of a page runs in a browser, where nobody counts lines.
  collectCoverageFrom: ['src/**/*.ts', '!src/analysis/matrix/page/matrix-page.ts'],
  coverageDirectory: 'coverage',
  coverageReporters: ['text-summary', 'json-summary', 'lcov'],
  coverageThreshold: { global: { lines: 90 } },
};
