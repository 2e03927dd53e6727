// Test paths are chosen by scripts/jest.mjs: test/real/ runs only when SME_BOOT_REAL is set.
const real = process.env.SME_BOOT_REAL === '1';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // By default one core stays free, which is half of a small machine.
  maxWorkers: '100%',
  roots: ['<rootDir>/test'],
  testMatch: [real ? '<rootDir>/test/real/**/*.test.ts' : '<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: real ? ['/node_modules/'] : ['/node_modules/', '<rootDir>/test/real/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['<rootDir>/scripts/jest-transform.mjs', { useESM: true }] },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  collectCoverageFrom: ['src/**/*.ts'],
  coverageDirectory: 'coverage',
  coverageReporters: ['text-summary', 'json-summary', 'lcov'],
  coverageThreshold: { global: { lines: 90 } },
};
