// scripts/jest.mjs selects the groups of tests. Jest alone runs all that a new machine can run.
import { CONSTANTS } from './scripts/defines.mjs';
import { BY_PATH, groupOf, testFiles } from './scripts/test-groups.mjs';

const groups = process.env.SME_BOOT_TESTS?.split(',') ?? BY_PATH[0].groups;
const files = testFiles().filter((file) => groups.includes(groupOf(file)));

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // No test is about time: the bound ends what hangs, on a busy machine too.
  testTimeout: 120_000,
  globals: CONSTANTS,
  // jest's default leaves one core idle, which is half of a small machine.
  maxWorkers: '100%',
  // A worker keeps the modules of each suite that it ran; near the limit of its heap it only collects garbage.
  workerIdleMemoryLimit: '1500MB',
  roots: ['<rootDir>/test'],
  testRegex: `/test/(?:${files.join('|').replaceAll('.', '\\.')})$`,
  testPathIgnorePatterns: ['/node_modules/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['<rootDir>/scripts/jest-transform.mjs', { useESM: true }] },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  reporters: ['default', '<rootDir>/scripts/jest-counts.mjs'],
  // The script of a page runs in a browser, without coverage.
  collectCoverageFrom: ['src/**/*.ts', '!src/analysis/matrix/page/matrix-page.ts'],
  coverageDirectory: 'coverage',
  // Counters in the code would make the machine several times as slow.
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'json-summary', 'lcov'],
  coverageThreshold: { global: { lines: 90 } },
};
