// jest in a sandbox of --sample: the suites of SME_BOOT_SUITES (JSON, paths below test/) in their order.
import process from 'node:process';
import config from '../../jest.config.mjs';

const suites = JSON.parse(process.env.SME_BOOT_SUITES);

export default {
  ...config,
  rootDir: '../..',
  testRegex: `/test/(?:${suites.join('|').replaceAll('.', '\\.')})$`,
  setupFiles: ['<rootDir>/scripts/mutation/setup.mjs'],
  testSequencer: '<rootDir>/scripts/mutation/in-order.mjs',
  reporters: ['<rootDir>/scripts/mutation/first-failure.mjs'],
  cacheDirectory: '<rootDir>/.cache/jest',
  maxWorkers: 1,
};
