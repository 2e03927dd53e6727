/** `sme-boot scenario`: scenarios from elsewhere. */
import { basename, extname } from 'node:path';
import { Command } from 'commander';
import { Document } from 'yaml';
import { readText, writeWhole } from '../node/files.js';
import { parseDmesg } from '../sequencer/dmesg.js';
import { draftScenario, type DraftScenario } from '../sequencer/from-dmesg.js';
import { parseScenario } from '../sequencer/scenario.js';
import { InputError } from '../trace/errors.js';
import type { Io } from './io.js';

interface Flags {
  output?: string;
  name?: string;
  asLogged?: boolean;
}

/** The longest log that is read: kernel logs are some hundred KiB. */
const LOG_LIMIT = 64 * 2 ** 20;

const EXAMPLES = `
Examples:
  dmesg | sme-boot scenario from-dmesg - > mine.yaml
  sme-boot scenario from-dmesg boot.log --output mine.yaml && sme-boot run mine.yaml

Boot with efi=debug to have the EFI memory map in the log.`;

export function scenarioCommand(io: Io): Command {
  const fromDmesg = new Command('from-dmesg')
    .description('write a scenario from a kernel log')
    .argument('<FILE>', 'the log, or - for stdin')
    .option('--output <FILE>', 'where the scenario goes (default: stdout)')
    .option('--name <NAME>', "the scenario's name (default: the log's file name)")
    .option('--as-logged', 'leave the command line as it was: do not ask for encryption')
    .addHelpText('after', EXAMPLES)
    .action((file: string, flags: Flags) => {
      const text = readLog(file);
      const name = flags.name ?? nameOf(file);
      const draft = draftScenario(parseDmesg(text), { name, asLogged: flags.asLogged ?? false });
      // What is written must be a scenario: its own check finds what the log had wrong.
      parseScenario(file, draft.data);
      const yaml = print(draft, file === '-' ? 'stdin' : basename(file));
      if (flags.output === undefined) io.stdout.write(yaml);
      else writeWhole(flags.output, yaml);
    });
  return new Command('scenario').description('make scenarios').addCommand(fromDmesg);
}

function readLog(file: string): string {
  const text = readText(file === '-' ? '/dev/stdin' : file);
  if (text.length <= LOG_LIMIT) return text;
  throw new InputError({
    code: 'E_DMESG',
    place: { file },
    reason: 'too long for a kernel log',
    expected: `at most ${String(LOG_LIMIT)} bytes`,
    found: String(text.length),
  });
}

/** A name that a scenario may have, from a file's. */
function nameOf(file: string): string {
  if (file === '-') return 'from-dmesg';
  const name = basename(file, extname(file))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'from-dmesg' : name;
}

function print({ data, remarks }: DraftScenario, source: string): string {
  const document = new Document(data);
  document.commentBefore = [` From the kernel log ${source}.`, ...remarks.map((r) => ` ${r}`)].join(
    '\n',
  );
  hexadecimal(document);
  return document.toString({ lineWidth: 0 });
}

/** Addresses are written in hexadecimal, ranges in a line each. */
function hexadecimal(document: Document): void {
  const visit = (node: unknown): void => {
    if (!isCollection(node)) return;
    for (const item of node.items) {
      const pair = item as { key?: { value?: unknown }; value?: { value?: unknown } | null };
      const key = pair.key?.value;
      const { value } = pair;
      if (typeof key === 'string' && /^(start|end|kernelAt|initrdAt)$/.test(key) && value) {
        Object.assign(value, { format: 'HEX' });
        if (key === 'start' || key === 'end') node.flow = true;
      }
      visit(pair.key === undefined ? item : value);
    }
  };
  visit(document.contents);
}

function isCollection(node: unknown): node is { items: unknown[]; flow?: boolean } {
  return typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items);
}
