// Which part of the tests runs is chosen by scripts/jest.mjs: test/real/ runs only when it is asked for.
const part = process.env.SME_BOOT_TESTS ?? 'all';
const folder = part === 'real' || part === 'stages' ? `${part}/` : '';
const apart = { all: ['real'], units: ['real', 'stages'] }[part] ?? [];

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
  collectCoverageFrom: ['src/**/*.ts', '!src/review/page/matrix-page.ts'],
  coverageDirectory: 'coverage',
  coverageReporters: ['text-summary', 'json-summary', 'lcov'],
  coverageThreshold: { global: { lines: 90 } },
};
