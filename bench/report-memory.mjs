// Loaded into a measured process: at its exit, writes its peak memory in KB to file descriptor 3.
import { writeSync } from 'node:fs';
import process from 'node:process';

process.on('exit', () => {
  writeSync(3, String(process.resourceUsage().maxRSS));
});
