/** Every command of the pages under docs/. */
import { readdirSync } from 'node:fs';
import { testCommands } from './commands.js';

testCommands(
  readdirSync('docs')
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => `docs/${file}`),
);
