/** Every command of README.md and CONTRIBUTING.md; those of docs/ are in commands.exhaustive.test.ts. */
import { existsSync } from 'node:fs';
import { testCommands } from './commands.js';

testCommands(['README.md', 'CONTRIBUTING.md'].filter((file) => existsSync(file)));
