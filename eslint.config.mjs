import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import lookups from './scripts/lint/lookups.mjs';
import rooms, { NODE_ROOMS } from './scripts/lint/rooms.mjs';

/** The viewer's page. */
const PAGE = 'src/view/page';

const NEEDS_NODE = 'needs Node; only src/node/ and src/cli/ may use it';
const NOT_THE_SAME_TWICE = 'is not the same twice; a run is a function of its input';

const nodeGlobals = ['Buffer', 'process', 'global', 'require', 'module', '__dirname', '__filename'];
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];
const clocks = ['Date', 'performance', 'crypto'];

const everywhere = [
  {
    selector: 'TSAsExpression > TSAsExpression > TSUnknownKeyword',
    message: 'A cast through unknown hides a wrong type.',
  },
];
const inTests = [
  {
    selector:
      'MemberExpression[object.name=/^(test|describe|it)$/][property.name=/^(skip|only|todo)$/]',
    message: 'Every test runs.',
  },
  {
    selector: 'CallExpression[callee.name=/^(xit|xtest|xdescribe|fit|fdescribe)$/]',
    message: 'Every test runs.',
  },
];
const inBrowser = [
  { selector: ':function[async=true]', message: 'The simulator is synchronous.' },
  { selector: 'AwaitExpression', message: 'The simulator is synchronous.' },
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'reports/', '.cache/'] },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [
      ...tseslint.configs.strict,
      ...tseslint.configs.stylistic,
      ...tseslint.configs.recommendedTypeCheckedOnly,
    ],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      'no-restricted-syntax': ['error', ...everywhere],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'], location: 'anywhere' }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    plugins: { rooms },
    rules: {
      'rooms/direction': 'error',
      'rooms/assertions': ['error', 10],
      'max-lines': ['error', 500],
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    // Kernel state under checkpoint's proxies, and the comparison of it: own() is not seen by their `get`.
    ignores: [
      'src/base/own.ts',
      'src/analysis/checkpoint/*.ts',
      'src/linux/arch/x86/include/asm/cpufeature.ts',
      'src/machine/cpu/cpu-core.ts',
    ],
    plugins: { lookups },
    rules: { 'lookups/own': 'error' },
  },
  {
    files: ['src/**/*.ts'],
    ignores: [...NODE_ROOMS.map((room) => `src/${room}/**`), `${PAGE}/**`],
    rules: {
      'rooms/browser': 'error',
      'no-console': 'error',
      'no-restricted-globals': [
        'error',
        ...[...nodeGlobals, ...timers].map((name) => ({ name, message: `It ${NEEDS_NODE}.` })),
        ...clocks.map((name) => ({ name, message: `It ${NOT_THE_SAME_TWICE}.` })),
      ],
      'no-restricted-properties': [
        'error',
        ...nodeGlobals.map((property) => ({
          object: 'globalThis',
          property,
          message: `It ${NEEDS_NODE}.`,
        })),
        { object: 'Math', property: 'random', message: `It ${NOT_THE_SAME_TWICE}.` },
      ],
      'no-restricted-syntax': ['error', ...everywhere, ...inBrowser],
    },
  },
  {
    // The page waits for its worker, and for the reader.
    files: [`${PAGE}/**/*.ts`, `${PAGE}/**/*.tsx`],
    rules: { 'rooms/browser': 'error', 'no-console': 'error' },
  },
  {
    files: ['test/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...everywhere, ...inTests] },
  },
  { files: ['**/*.mjs'], languageOptions: { globals: globals.node } },
);
