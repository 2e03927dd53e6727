/** Boots of a kernel without mem_encrypt=on. */
import type { Boot } from '../../src/sequencer/boot.js';
import type { Trace } from '../../src/trace/trace.js';
import { boot, scenario } from '../helpers.js';

const OFF = ['cmdline=console=tty0 root=/dev/ram0', 'machine.ram=64MiB'];

/** A small machine whose command line does not enable encryption, with alternatives. */
export function withoutMask(...alternatives: string[]): Boot {
  return boot({ scenario: scenario('bios-minimal', ...OFF), with: alternatives });
}

/** A trace without its header, and without the source location of each event. */
export function whatHappens({ header: _header, ...rest }: Trace): unknown {
  return JSON.parse(
    JSON.stringify(rest, (key, value: unknown) =>
      ['hunk', 'patch', 'file', 'in'].includes(key) ? undefined : value,
    ),
  );
}
