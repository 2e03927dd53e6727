/** The kinds of input, by name. */
import type { Kind } from './kind.js';
import { address } from './kinds/address.js';
import { argvKind } from './kinds/argv.js';
import { COMPRESSED } from './kinds/compressed.js';
import { cpio } from './kinds/cpio.js';
import { dmesg } from './kinds/dmesg.js';
import { DOCUMENTS } from './kinds/documents.js';
import { code, gdb } from './kinds/executed.js';
import { bzimage, elf, kallsyms, systemMap } from './kinds/images.js';
import { cmdline, deviceTree, setupData } from './kinds/in-boot.js';
import { mailBox } from './kinds/mail.js';
import { e820, efiMap } from './kinds/memory-maps.js';
import { booted, scenario } from './kinds/scenario.js';

export const KINDS: readonly Kind[] = [
  scenario,
  booted,
  bzimage,
  elf,
  kallsyms,
  systemMap,
  cpio,
  ...COMPRESSED,
  deviceTree,
  setupData,
  e820,
  efiMap,
  dmesg,
  ...DOCUMENTS,
  mailBox,
  cmdline,
  argvKind,
  code,
  gdb,
  address,
];
