/** Imported first: src/cli/main.ts must not take a worker of the bundle for the program. */
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) process.argv.length = 1;
