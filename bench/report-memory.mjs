// Loaded into a measured process: at its exit, writes its peak memory in KB to file descriptor 3.
import { readFileSync, writeSync } from 'node:fs';
import process from 'node:process';

/** ru_maxrss would not do on Linux: it starts with the peak of the process that started this one (fork, then exec). */
function peak() {
  try {
    return /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

process.on('exit', () => {
  writeSync(3, peak() ?? String(process.resourceUsage().maxRSS));
});
