/** From a log's command line to a scenario's: what is left out, what is added, and why. */
import { EARLY_CONSOLES_LEFT_OUT } from '../linux/arch/x86/kernel/early_printk.js';
import { withoutEffect } from '../linux/options/options.js';
import { notModelled } from '../series/options.js';
import type { DmesgFacts } from './dmesg-facts.js';
import type { Remarks } from './remarks.js';

const DEFAULT_COMMAND_LINE = 'console=tty0 root=/dev/ram0';
const OPTION = 'mem_encrypt=on';
/** printk cuts a message at LOG_LINE_MAX, 1024 less a prefix of up to 32 (kernel/printk/printk.c). */
const LINE_MAX = 976;

/** An option that asks for an early console that the machine does not have. */
function isEarlyConsole(word: string): boolean {
  const [option, value = ''] = word.split('=');
  return option === 'earlyprintk' && EARLY_CONSOLES_LEFT_OUT.some((name) => value.includes(name));
}

/** Names of options that a crash kernel gets from the one before. */
const CRASH = /(?:^|\s)elfcorehdr=/;

/** A scenario's command line, with remarks about each thing that is not as the log has it. */
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
      remarks.guessed(`cmdline: ${String(commandLine.length)} characters; printk may have cut it`);
    }
    if (CRASH.test(commandLine)) {
      remarks.note(
        'elfcorehdr=: this is the boot of a crash kernel; the map is what kexec gave it',
      );
    }
  }
  const line = asked(commandLine ?? DEFAULT_COMMAND_LINE, asLogged, remarks);
  for (const { option, why } of notModelled(line)) {
    remarks.unused(`cmdline: ${option} is not modelled: ${why}`);
  }
  const idle = withoutEffect(line).map(({ option }) => option);
  if (idle.length > 0) {
    remarks.unused(`cmdline: without effect here: ${idle.join(', ')} (sme-boot list options)`);
  }
  return line;
}

/** The logged line as the scenario has it: unless it is to be as logged, it asks for encryption. */
function asked(logged: string, asLogged: boolean, remarks: Remarks): string {
  if (asLogged) return logged;
  const words = logged.split(' ');
  const left = words.filter(isEarlyConsole);
  if (left.length > 0) {
    remarks.guessed(`cmdline: ${left.join(' ')} is left out: the machine has no such console`);
  }
  const line = words.filter((word) => !isEarlyConsole(word)).join(' ');
  if (/(?:^|\s)mem_encrypt=/.test(line)) return line;
  remarks.guessed(`cmdline: ${OPTION} is added, so that the boot has something to show`);
  return `${line} ${OPTION}`;
}
