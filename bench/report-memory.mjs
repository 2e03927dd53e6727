// Loaded into a measured process: at its end, tells its peak memory on file descriptor 3.
import { writeSync } from 'node:fs';
import process from 'node:process';

process.on('exit', () => {
  writeSync(3, String(process.resourceUsage().maxRSS));
});
