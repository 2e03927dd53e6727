/** State of printk, the consoles and the virtual terminal between boot steps; plain data. */
import { stateSlice } from '../../../kernel/state.js';

/** The drivers that can be registered (struct console, by name). */
export type ConsoleName = 'earlyvga' | 'tty';

/** struct console flags (include/linux/console.h). */
export const CON = { PRINTBUFFER: 1, CONSDEV: 2, ENABLED: 4, BOOT: 8 } as const;

/** A registered console. */
export interface ConsoleDriver {
  readonly name: ConsoleName;
  index: number;
  flags: number;
  /**
   * Not in the kernel: index of the first log record that this console printed, or of the first one after another console
   * left the screen to it. Used only to compare the screen with the log.
   */
  first: number;
}

/** kernel/printk/printk.c */
export interface PrintkState {
  /** The log buffer: the text of each record. */
  log: string[];
  /** console_seq: index of the next record for the consoles. */
  consoleSeq: number;
  /** console_sem is held. */
  locked: boolean;
  /** console_drivers, the head first. */
  drivers: ConsoleDriver[];
  exclusive: ConsoleName | null;
  /** console_cmdline[], selected_console, preferred_console. */
  cmdline: { name: string; index: number }[];
  selected: number;
  preferred: number;
}

/** The variables of arch/x86/kernel/early_printk.c. */
export interface EarlyVgaState {
  index: number;
  flags: number;
  max_xpos: number;
  max_ypos: number;
  current_xpos: number;
  current_ypos: number;
}

/** Which low-level driver conswitchp points to. */
export type ConswName = 'vga_con' | 'dummy_con';

/** struct vc_data of the first virtual terminal, as far as printing needs it; addresses are virtual. */
export interface VcData {
  sw: ConswName;
  can_do_color: boolean;
  cols: number;
  rows: number;
  size_row: number;
  screenbuf: number;
  screenbuf_size: number;
  origin: number;
  visible_origin: number;
  scr_end: number;
  pos: number;
  x: number;
  y: number;
  top: number;
  bottom: number;
  attr: number;
  video_erase_char: number;
  need_wrap: boolean;
}

/** drivers/tty/vt/vt.c */
export interface VtState {
  conswitchp: ConswName | null;
  vc: VcData | null;
  /** master_display_fg is set: the terminal is visible. */
  visible: boolean;
  printable: boolean;
}

/** The variables of drivers/video/console/vgacon.c. */
export interface VgaconState {
  vga_vram_base: number;
  vga_vram_end: number;
  vga_vram_size: number;
  vga_video_port_reg: number;
  vga_video_num_lines: number;
  vga_video_num_columns: number;
  vga_hardscroll_enabled: boolean;
  vga_bootup_console: boolean;
  vga_rolled_over: number;
}

export interface ConsoleState {
  printk: PrintkState;
  earlyVga: EarlyVgaState;
  vt: VtState;
  vgacon: VgaconState;
}

declare module '../../../kernel/state.js' {
  interface KernelState {
    /** The log buffer, the consoles and the screen. */
    console: ConsoleState;
  }
}
export const consoleState = stateSlice(() => ({
  console: {
    printk: {
      log: [],
      consoleSeq: 0,
      locked: false,
      drivers: [],
      exclusive: null,
      cmdline: [],
      selected: -1,
      preferred: -1,
    },
    earlyVga: {
      index: -1,
      flags: CON.PRINTBUFFER,
      max_xpos: 80,
      max_ypos: 25,
      current_xpos: 0,
      current_ypos: 25,
    },
    vt: { conswitchp: null, vc: null, visible: false, printable: false },
    vgacon: {
      vga_vram_base: 0,
      vga_vram_end: 0,
      vga_vram_size: 0,
      vga_video_port_reg: 0,
      vga_video_num_lines: 0,
      vga_video_num_columns: 0,
      vga_hardscroll_enabled: false,
      vga_bootup_console: false,
      vga_rolled_over: 0,
    },
  },
}));
