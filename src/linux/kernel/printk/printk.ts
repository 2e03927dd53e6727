/**
 * kernel/printk/printk.c: the log buffer and the consoles. Levels, prefixes (printk.time is off, our choice), dictionaries
 * and the buffer's limit are not modelled: every record reaches every console that is registered.
 */
import { CON, type ConsoleDriver, type ConsoleName } from '../../include/linux/console.js';
import { inline, bodies } from '../../../kernel/table.js';
import type { Kernel } from '../../../kernel/kernel.js';

declare module '../../../kernel/table.js' {
  interface Entries {
    /** Prints one line, without its newline. */
    printk(k: Kernel, text: string): void;
    /** Appends a record to the log buffer, and prints it unless console_sem is held. */
    vprintk_emit(k: Kernel, text: string): void;
    /** Appends a record to the log buffer: the line of the trace. */
    log_store(k: Kernel, text: string): void;
    console_lock(k: Kernel): void;
    /** Whether console_sem was free; it is held then. */
    console_trylock(k: Kernel): boolean;
    /** Prints the records from console_seq on, then releases console_sem. */
    console_unlock(k: Kernel): void;
    call_console_drivers(k: Kernel, text: string): void;
    /** `console=` on the command line; the last one is the preferred console. */
    console_setup(k: Kernel, value: string): void;
    register_console(k: Kernel, name: ConsoleName): void;
    unregister_console(k: Kernel, name: ConsoleName): void;
  }
}

/** Constant members of a struct console: its write function, and whether it has a tty device. */
const DRIVERS = {
  earlyvga: { write: 'early_vga_write', device: false },
  tty: { write: 'vt_console_print', device: true },
} as const satisfies Record<ConsoleName, { write: string; device: boolean }>;

/** Flags and index that a struct console has before it is registered. */
function staticsOf(k: Kernel, name: ConsoleName): { index: number; flags: number } {
  if (name === 'tty') return { index: -1, flags: CON.PRINTBUFFER };
  const { index, flags } = k.state.console.earlyVga;
  return { index, flags };
}

const boot = (flags: number): string => ((flags & CON.BOOT) !== 0 ? 'boot' : '');

/** A console with the flags that register_console() sets: enabled if none was selected yet or if console= names it. */
function select(k: Kernel, name: ConsoleName, index: number, flags: number): ConsoleDriver {
  const { printk } = k.state.console;
  const con = { name, index, flags, first: printk.consoleSeq };
  if (printk.preferred < 0) {
    if (con.index < 0) con.index = 0;
    con.flags |= CON.ENABLED;
    if (DRIVERS[name].device) {
      con.flags |= CON.CONSDEV;
      printk.preferred = 0;
    }
  }
  const match = printk.cmdline.findIndex(
    (each) => each.name === name && (con.index < 0 || con.index === each.index),
  );
  const requested = printk.cmdline[match];
  if (requested === undefined) return con;
  if (con.index < 0) con.index = requested.index;
  con.flags |= CON.ENABLED;
  if (match === printk.selected) {
    con.flags |= CON.CONSDEV;
    printk.preferred = printk.selected;
  }
  return con;
}

export const printk = bodies({
  printk: inline((k: Kernel, text: string) => {
    k.fn.vprintk_emit(text);
  }),

  vprintk_emit: inline((k: Kernel, text: string) => {
    k.fn.log_store(text);
    // What the consoles do is one scope for the trace, whatever function prints.
    k.trace.recorder.aside('printk', () => {
      // The holder of console_sem prints this record as well.
      if (k.fn.console_trylock()) k.fn.console_unlock();
    });
  }),

  log_store: inline((k: Kernel, text: string) => {
    k.state.console.printk.log.push(text);
    k.trace.emit('console', { text });
  }),

  console_trylock: inline((k: Kernel) => {
    const { printk } = k.state.console;
    if (printk.locked) return false;
    printk.locked = true;
    return true;
  }),

  console_lock: inline((k: Kernel) => {
    k.state.console.printk.locked = true;
  }),

  console_unlock: inline((k: Kernel) => {
    const { printk } = k.state.console;
    for (;;) {
      const text = printk.log[printk.consoleSeq];
      if (text === undefined) break;
      printk.consoleSeq++;
      k.fn.call_console_drivers(`${text}\n`);
    }
    printk.exclusive = null;
    printk.locked = false;
  }),

  call_console_drivers: inline((k: Kernel, text: string) => {
    const { drivers, exclusive } = k.state.console.printk;
    for (const { name, flags } of [...drivers]) {
      if (exclusive !== null && exclusive !== name) continue;
      if ((flags & CON.ENABLED) !== 0) k.fn[DRIVERS[name].write](text);
    }
  }),

  console_setup: inline((k: Kernel, value: string) => {
    const { printk } = k.state.console;
    const device = /^[0-9]/.test(value) ? `ttyS${value}` : value;
    const [, name = '', digits = ''] = /^([^0-9,]*)([0-9]*)/.exec(device) ?? [];
    const index = digits === '' ? 0 : Number(digits);
    const known = printk.cmdline.findIndex((c) => c.name === name && c.index === index);
    printk.selected = known < 0 ? printk.cmdline.push({ name, index }) - 1 : known;
  }),

  register_console: inline((k: Kernel, name: ConsoleName) => {
    const { printk } = k.state.console;
    const { index, flags } = staticsOf(k, name);
    const head = printk.drivers[0];
    if (printk.drivers.some((driver) => driver.name === name)) return;
    const real = printk.drivers.some((driver) => (driver.flags & CON.BOOT) === 0);
    if ((flags & CON.BOOT) !== 0 && real) {
      k.fn.printk(`Too late to register bootconsole ${name}${String(index)}`);
      return;
    }
    const bcon = head !== undefined && (head.flags & CON.BOOT) !== 0;
    if (printk.preferred < 0 || bcon || head === undefined) printk.preferred = printk.selected;
    const con = select(k, name, index, flags);
    if ((con.flags & CON.ENABLED) === 0) return;
    const takesOver = bcon && (con.flags & (CON.CONSDEV | CON.BOOT)) === CON.CONSDEV;
    // The boot console has shown the log already.
    if (takesOver) con.flags &= ~CON.PRINTBUFFER;

    k.fn.console_lock();
    const replays = (con.flags & CON.PRINTBUFFER) !== 0;
    const entry = { ...con, first: replays ? 0 : printk.consoleSeq };
    if ((con.flags & CON.CONSDEV) !== 0 || head === undefined) {
      printk.drivers.unshift(entry);
      if (head !== undefined) head.flags &= ~CON.CONSDEV;
    } else {
      printk.drivers.splice(1, 0, entry);
    }
    if (replays) {
      printk.consoleSeq = 0;
      printk.exclusive = name;
    }
    k.fn.console_unlock();
    k.fn.printk(`${boot(con.flags)}console [${name}${String(con.index)}] enabled`);
    if (!takesOver) return;
    const bootConsoles = printk.drivers.filter((driver) => (driver.flags & CON.BOOT) !== 0);
    for (const driver of bootConsoles) k.fn.unregister_console(driver.name);
  }),

  unregister_console: inline((k: Kernel, name: ConsoleName) => {
    const { printk } = k.state.console;
    const console = printk.drivers.find((driver) => driver.name === name);
    if (console === undefined) return;
    k.fn.printk(`${boot(console.flags)}console [${name}${String(console.index)}] disabled`);
    k.fn.console_lock();
    printk.drivers = printk.drivers.filter((driver) => driver !== console);
    const head = printk.drivers[0];
    if (head !== undefined && (console.flags & CON.CONSDEV) !== 0) head.flags |= CON.CONSDEV;
    if (head !== undefined) head.first = printk.consoleSeq;
    k.fn.console_unlock();
  }),
});
