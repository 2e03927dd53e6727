/** Makes a scenario's command line from a log's, with a remark for each change. */
import { EARLY_CONSOLES_LEFT_OUT } from '../linux/arch/x86/kernel/early_printk.js';
import { withoutEffect } from '../linux/options/options.js';
import { notModelled } from '../series/options.js';
import type { DmesgFacts } from './dmesg-facts.js';
import type { Remarks } from './remarks.js';

const DEFAULT_COMMAND_LINE = 'console=tty0 root=/dev/ram0';
const OPTION = 'mem_encrypt=on';
/** printk truncates a message at LOG_LINE_MAX, 1024 minus a prefix of up to 32 (kernel/printk/printk.c). */
const LINE_MAX = 976;

/** Whether an option selects an early console that the machine does not have. */
function isEarlyConsole(word: string): boolean {
  const [option, value = ''] = word.split('=');
  return option === 'earlyprintk' && EARLY_CONSOLES_LEFT_OUT.some((name) => value.includes(name));
}

/** The option by which a crash kernel gets the ELF core header. */
const CRASH = /(?:^|\s)elfcorehdr=/;

/** A scenario's command line, with a remark for each difference from the log. */
export function commandLineOf(facts: DmesgFacts, asLogged: boolean, remarks: Remarks): string {
  const { commandLine, at } = facts;
  if (commandLine === undefined) {
    remarks.guessed(`cmdline: not in the log; ${DEFAULT_COMMAND_LINE}`);
  } else {
    const second = at?.get('commandLine') === at?.get('kernelCommandLine');
    remarks.read(
      second && at?.has('kernelCommandLine') ? 'cmdline, from "Kernel command line:"' : 'cmdline',
      'commandLine',
    );
    if (commandLine.length >= LINE_MAX) {
      remarks.guessed(
        `cmdline: ${String(commandLine.length)} characters; printk may have truncated it`,
      );
    }
    if (CRASH.test(commandLine)) {
      remarks.note(
        'elfcorehdr=: this is the boot of a crash kernel; the map is the one that kexec passed to it',
      );
    }
  }
  const line = adjusted(commandLine ?? DEFAULT_COMMAND_LINE, asLogged, remarks);
  for (const { option, why } of notModelled(line)) {
    remarks.unused(`cmdline: ${option} is not modelled: ${why}`);
  }
  const idle = withoutEffect(line).map(({ option }) => option);
  if (idle.length > 0) {
    remarks.unused(`cmdline: no effect here: ${idle.join(', ')} (sme-boot list options)`);
  }
  return line;
}

/** The logged line; unless `asLogged`, without early consoles of other machines and with mem_encrypt=on added. */
function adjusted(logged: string, asLogged: boolean, remarks: Remarks): string {
  if (asLogged) return logged;
  const words = logged.split(' ');
  const removed = words.filter(isEarlyConsole);
  if (removed.length > 0) {
    remarks.guessed(`cmdline: ${removed.join(' ')} removed: the machine has no such console`);
  }
  const line = words.filter((word) => !isEarlyConsole(word)).join(' ');
  if (/(?:^|\s)mem_encrypt=/.test(line)) return line;
  remarks.guessed(`cmdline: ${OPTION} added, so that the boot turns encryption on`);
  return `${line} ${OPTION}`;
}
