/** `sme-boot scenario`: writes scenarios from other sources. */
import { basename, extname } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Document } from 'yaml';
import { readBytes } from '../node/files.js';
import { parseDmesg } from '../scenario/dmesg.js';
import { draftScenario, type DraftScenario } from '../scenario/from-dmesg.js';
import { decodeLog, plain } from '../scenario/log-text.js';
import { REMARK_KINDS, type RemarkKind } from '../scenario/remarks.js';
import { parseScenario } from '../scenario/scenario.js';
import { InputError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { yamlText } from '../base/yaml-text.js';
import { exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { addOutput, openResult } from './output.js';

interface Flags {
  output?: string;
  name?: string;
  boot?: number;
  asLogged?: boolean;
}

/** The largest log that is read, in bytes (our choice): kernel logs have some hundred KiB. */

const EXAMPLES = `
Examples:
  dmesg | sme-boot scenario from-dmesg - > mine.yaml
  sme-boot scenario from-dmesg boot.log --output mine.yaml && sme-boot run mine.yaml
  journalctl -k -o short-monotonic | sme-boot scenario from-dmesg - --name mine
  sme-boot scenario from-dmesg kern.log --boot 2     the second boot in the log

The log may have any kind of time stamps, quoting marks, colour codes, lines wrapped
by a mail program, CR LF line ends, UTF-16 or quoted-printable encoding, or be the
output of dmesg -J. Comments at the head of the scenario list what was read, what was
guessed and why, and what was not used. Boot with efi=debug to log the EFI memory map.
${exitHelp()}`;

export function scenarioCommand(io: Io): Command {
  const fromDmesg = new Command('from-dmesg')
    .description('write a scenario from a kernel log')
    .argument('<FILE>', 'the log, or - for stdin')
    .option('--name <NAME>', "name of the scenario (default: the log's file name)")
    .option('--boot <N>', 'number of the boot in the log (default: the last complete one)', number)
    .option('--as-logged', 'leave the command line unchanged: do not add mem_encrypt=on')
    .addHelpText('after', EXAMPLES)
    .action((file: string, flags: Flags) => {
      const out = openResult(io, flags.output);
      out.write(fromLog(file, flags));
      out.end();
    });
  addOutput(fromDmesg, { formats: ['yaml'], what: 'the scenario' });
  return new Command('scenario').description('make scenarios').addCommand(fromDmesg);
}

function number(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 1 on.');
}

function fromLog(file: string, { name = nameOf(file), boot, asLogged = false }: Flags): string {
  const bytes = readLog(file);
  try {
    const { text, undone } = decodeLog(bytes);
    const facts = parseDmesg(text, boot);
    const draft = draftScenario(
      { ...facts, undone: [...undone, ...(facts.undone ?? [])] },
      { name, asLogged },
    );
    // The output must be a valid scenario: this finds contradictions in the log.
    parseScenario(file, draft.data);
    return print(draft, file === '-' ? 'stdin' : basename(file));
  } catch (error) {
    throw error instanceof InputError ? error.within({ file }) : error;
  }
}

function readLog(file: string): Uint8Array {
  return readBytes(file, LIMITS.log);
}

/** A valid scenario name, made from a file name. */
function nameOf(file: string): string {
  if (file === '-') return 'from-dmesg';
  const name = basename(file, extname(file))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'from-dmesg' : name;
}

/** The headings of the remarks. */
const HEADS: Readonly<Record<RemarkKind, string>> = {
  note: 'About the log:',
  read: 'Read from the log:',
  guessed: 'Guessed or chosen:',
  unused: 'In the log and not used:',
};

function print({ data, remarks }: DraftScenario, source: string): string {
  const document = new Document(data);
  const lines = REMARK_KINDS.flatMap((kind) => {
    const own = remarks.filter((remark) => remark.kind === kind);
    return own.length === 0 ? [] : [HEADS[kind], ...own.map(({ text }) => `  ${text}`)];
  });
  document.commentBefore = [`From the kernel log ${plain(source)}.`, ...lines]
    .map((line) => ` ${line}`)
    .join('\n');
  hexadecimal(document);
  return yamlText(document, { lineWidth: 0 });
}

/** Formats addresses in hexadecimal and ranges on one line each. */
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
