/** Reads mails from a file or a folder. No file is opened by a name from a mail, and none outside the folder. */
import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { InputError } from '../base/errors.js';
import { LIMITS, limitError } from '../base/limits.js';
import { splitMails } from '../review/mail-box.js';
import { readMail, type Mail } from '../review/mail-message.js';
import { fileError } from './file-errors.js';
import { kindOfPath, readBytes } from './files.js';

/** A file of a folder that is not read, and why. */
export interface IgnoredFile {
  readonly file: string;
  readonly reason: string;
}

export interface MailFiles {
  readonly mails: readonly Mail[];
  readonly ignored: readonly IgnoredFile[];
}

/** Folders within folders: a maildir has two levels (our choice). */
const DEEPEST = 4;
/** Bytes of a file in which a zero byte shows that it is no mail (as git tells binary files, xdiff-interface.c). */
const FIRST = 8000;

const isBinary = (bytes: Uint8Array): boolean => bytes.subarray(0, FIRST).includes(0);

class Folder {
  readonly files: string[] = [];
  readonly ignored: IgnoredFile[] = [];
  private readonly root: string;

  constructor(folder: string) {
    try {
      this.root = realpathSync(folder);
    } catch (error) {
      throw fileError('E_READ', folder, error);
    }
    this.walk(folder, 0);
  }

  private walk(folder: string, depth: number): void {
    let names: string[];
    try {
      names = readdirSync(folder).sort();
    } catch (error) {
      throw fileError('E_READ', folder, error);
    }
    for (const name of names) {
      if (!name.startsWith('.')) this.entry(join(folder, name), depth);
    }
  }

  private ignore(file: string, reason: string): void {
    this.ignored.push({ file, reason });
  }

  private entry(path: string, depth: number): void {
    if (lstatSync(path).isSymbolicLink()) {
      const target = this.target(path);
      if (target === undefined) this.ignore(path, 'a link that leads nowhere');
      else if (target !== this.root && !target.startsWith(this.root + sep)) {
        this.ignore(path, 'a link out of the folder');
      } else this.ignore(path, 'a link to what is read where it is');
      return;
    }
    const kind = kindOfPath(path);
    if (kind === 'file') {
      this.files.push(path);
      if (this.files.length > LIMITS.mailFiles.most) {
        throw limitError(LIMITS.mailFiles, 'more', { file: path });
      }
    } else if (kind !== 'folder') this.ignore(path, 'not a file');
    else if (depth >= DEEPEST) this.ignore(path, 'too deep a folder');
    else this.walk(path, depth + 1);
  }

  private target(path: string): string | undefined {
    try {
      return realpathSync(path);
    } catch {
      return undefined;
    }
  }
}

/** The mails of a file's bytes, added to `mails`. */
async function readInto(mails: Mail[], file: string, bytes: Uint8Array): Promise<void> {
  const raws = splitMails(bytes);
  if (mails.length + raws.length > LIMITS.mails.most) {
    throw limitError(LIMITS.mails, String(mails.length + raws.length), { file });
  }
  for (const raw of raws) {
    const place = { file, line: raw.line };
    if (raw.bytes.length > LIMITS.mail.most) {
      throw limitError(LIMITS.mail, String(raw.bytes.length), place);
    }
    try {
      mails.push(await readMail(file, raw));
    } catch (error) {
      // Of postal-mime: headers or parts beyond its bounds.
      const reason = error instanceof Error ? error.message : String(error);
      throw new InputError({ code: 'E_MAIL', place, reason, cause: error });
    }
  }
}

/**
 * The mails of a file (a mailbox, a mail, a patch; `-`: stdin) or of all files in a folder and its folders. Links in it are not
 * followed. Rejects with E_READ, E_MAIL for a binary file and a mail that cannot be read, and the errors of the limits.
 */
export async function readMails(path: string): Promise<MailFiles> {
  const folder = kindOfPath(path) === 'folder' ? new Folder(path) : undefined;
  const ignored = [...(folder?.ignored ?? [])];
  const mails: Mail[] = [];
  let total = 0;
  for (const file of folder?.files ?? [path]) {
    const bytes = readBytes(file, LIMITS.mailFile);
    total += bytes.length;
    if (total > LIMITS.mailFile.most) throw limitError(LIMITS.mailFile, 'more', { file: path });
    if (!isBinary(bytes)) await readInto(mails, file, bytes);
    else if (folder !== undefined) ignored.push({ file, reason: 'a binary file' });
    else {
      const place = { file, offset: bytes.indexOf(0) };
      throw new InputError({ code: 'E_MAIL', place, expected: 'a mail', found: 'a zero byte' });
    }
  }
  return { mails, ignored };
}
