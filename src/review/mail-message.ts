/** Reads a mail: headers, encodings and parts by postal-mime; what is left is its subject and its text. */
import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { isHeader, type RawMail } from './mail-box.js';
import { readSubject, type PatchSubject } from './mail-subject.js';

/** A mail, decoded. Its texts are foreign: they are escaped where they are printed. */
export interface Mail {
  /** The file as the user named it. */
  readonly file: string;
  /** The line of its first header in the file. */
  readonly line: number;
  readonly subject: PatchSubject;
  /** Without angle brackets; undefined: it has none. */
  readonly messageId?: string;
  /** The mail that it answers, without angle brackets. */
  readonly inReplyTo?: string;
  /** ISO 8601; undefined: none that can be read. */
  readonly date?: string;
  /** The lines of its text and of its patch attachments. */
  readonly lines: readonly string[];
  /** The line of the file that has `lines[0]`; undefined if the text is encoded or one of several parts. */
  readonly firstLine?: number;
  /** What was not read. */
  readonly notes: readonly string[];
}

const PATCH_TYPES = new Set([
  'text/x-patch',
  'text/x-diff',
  'text/patch',
  'text/diff',
  'text/plain',
]);

const isPatch = ({ mimeType, filename }: Attachment): boolean =>
  PATCH_TYPES.has(mimeType) ||
  mimeType.startsWith('application/x-patch') ||
  /\.(?:patch|diff)$/i.test(filename ?? '');

const textOf = ({ content }: Attachment): string =>
  typeof content === 'string' ? content : new TextDecoder('utf-8').decode(content);

const unbracketed = (id: string | undefined): string | undefined =>
  /<([^<>]+)>/.exec(id ?? '')?.[1] ?? id?.trim();

/** Whether a text has the beginning of a diff. */
const hasDiff = (text: string): boolean => /^(?:diff --git |--- \S[^\n]*\n\+\+\+ )/m.test(text);

/** The lines of a text; the end of the last one begins no further line. */
const linesOf = (text: string): string[] => {
  const lines = text.split(/\r\n|\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
};

/** The number of lines up to the empty one that ends the headers, itself included. */
function headerLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = 0; at < bytes.length; lines++) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) return lines + 1;
    if (end === at || (end === at + 1 && bytes[at] === 0x0d)) return lines + 1;
    at = end + 1;
  }
  return lines;
}

/** The text of a mail's parts that may have a patch, and what is not read. */
function body(email: Email): { text: string; notes: string[] } {
  const notes: string[] = [];
  const parts = [email.text ?? ''];
  for (const attachment of email.attachments) {
    const name = attachment.filename ?? attachment.mimeType;
    if (!isPatch(attachment)) notes.push(`the attachment ${name} is not read`);
    else parts.push(textOf(attachment));
  }
  if (email.html !== undefined && !hasDiff(parts.join('\n'))) {
    notes.push('the part in HTML is not read');
  }
  return { text: parts.join('\n'), notes };
}

/** Whether the text of a mail is in the file as it is. */
const isPlain = (email: Email): boolean => {
  const header = (key: string): string =>
    email.headers.find((each) => each.key === key)?.value.toLowerCase() ?? '';
  return (
    !/quoted-printable|base64/.test(header('content-transfer-encoding')) &&
    !/multipart\/|format\s*=\s*"?flowed/.test(header('content-type'))
  );
};

const firstLineOf = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0x0a);
  return new TextDecoder('latin1').decode(bytes.subarray(0, Math.min(end < 0 ? 400 : end, 400)));
};

/** A patch without headers, as `git diff` writes it: all of it is text. */
function bare(file: string, { bytes, line }: RawMail): Mail {
  return {
    file,
    line,
    subject: readSubject(''),
    lines: linesOf(new TextDecoder('utf-8').decode(bytes)),
    firstLine: line,
    notes: ['it has no headers'],
  };
}

function decoded(file: string, raw: RawMail, email: Email): Mail {
  const { text, notes } = body(email);
  const messageId = unbracketed(email.messageId);
  const inReplyTo = unbracketed(email.inReplyTo);
  return {
    file,
    line: raw.line,
    subject: readSubject(email.subject ?? ''),
    ...(messageId !== undefined && { messageId }),
    ...(inReplyTo !== undefined && { inReplyTo }),
    ...(email.date !== undefined && { date: email.date }),
    lines: linesOf(text),
    ...(isPlain(email) && { firstLine: raw.line + headerLines(raw.bytes) }),
    notes,
  };
}

/** Reads a mail of a file. Rejects for no content: what cannot be decoded is text that has no diff. */
export function readMail(file: string, raw: RawMail): Promise<Mail> {
  if (!isHeader(firstLineOf(raw.bytes))) return Promise.resolve(bare(file, raw));
  return PostalMime.parse(raw.bytes, { maxNestingDepth: 20, maxRfc822NestingDepth: 2 }).then(
    (email) => decoded(file, raw, email),
  );
}
