/**
 * The state machine of init/initramfs.c that unpacks newc archives, with the kernel's states, so that a corrupt or
 * truncated archive gives the files and the error that it gives in the kernel.
 */
import { latin1 } from '../../../base/bytes.js';
import { PATH_MAX, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK } from '../../include/linux/fs.js';
import { S_IFMT, S_IFREG, S_IFSOCK } from '../../include/linux/fs.js';
import type { Rootfs } from '../../fs/ramfs.js';

/** A sequence of bytes with lookahead. */
export interface Input {
  /** Number of bytes not consumed yet. */
  readonly left: number;
  /** The next `count` bytes, not consumed; `count` is at most `left` and {@link PEEK_MAX}. */
  peek(count: number): Uint8Array;
  /** Some of the next bytes, not consumed: at least one, at most `most` and `left`. */
  some(most: number): Uint8Array;
  /** Consumes `count` bytes. */
  eat(count: number): void;
}

const HEADER_SIZE = 110;
const FIELD_SIZE = 8;
const MAGIC = '070701';
const OLD_MAGIC = '070707';
const TRAILER = 'TRAILER!!!';
/** N_ALIGN(): size of a name with its padding, so that header and name together are a multiple of 4. */
const nAlign = (length: number): number => Math.floor((length + 1) / 4) * 4 + 2;
/** Largest `count` of peek(): a symbolic link's name and target. */
export const PEEK_MAX = nAlign(PATH_MAX) + PATH_MAX;

const align4 = (n: number): number => Math.ceil(n / 4) * 4;

/** Number of header fields that the kernel reads, in their order (parse_header): all but c_chksum. */
const FIELDS = 12;

interface Header {
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtime: number;
  readonly bodyLength: number;
  readonly major: number;
  readonly minor: number;
  readonly rdev: { readonly major: number; readonly minor: number };
  readonly nameLength: number;
}

/** parse_header(): a field is read up to its first non-hexadecimal character (lib/vsprintf.c, simple_strtoul). */
function parseHeader(header: Uint8Array): Header {
  const parsed = Array.from({ length: FIELDS }, (_, index) => {
    const from = MAGIC.length + index * FIELD_SIZE;
    const digits = /^(?:0[xX])?([0-9a-fA-F]*)/.exec(
      latin1(header.subarray(from, from + FIELD_SIZE)),
    );
    return parseInt(`0${digits?.[1] ?? ''}`, 16);
  });
  const field = (index: number): number => parsed[index] ?? 0;
  return {
    ino: field(0),
    mode: field(1) & 0xffff, // umode_t
    uid: field(2),
    gid: field(3),
    nlink: field(4),
    mtime: field(5),
    bodyLength: field(6),
    major: field(7),
    minor: field(8),
    // MKDEV() has 12 and 20 bits (include/linux/kdev_t.h).
    rdev: { major: field(9) & 0xfff, minor: field(10) & 0xf_ffff },
    nameLength: field(11),
  };
}

/** A C string: up to its NUL, or to the end of the collected bytes (our choice: nothing beyond is read). */
function cString(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return latin1(nul < 0 ? bytes : bytes.subarray(0, nul));
}

const isType = (mode: number, ...types: number[]): boolean => types.includes(mode & S_IFMT);

/** Result of an action: continue with the next state, or wait for more bytes. */
const CONTINUE = false;
const WAIT = true;

type State =
  'Start' | 'Collect' | 'GotHeader' | 'SkipIt' | 'GotName' | 'CopyFile' | 'GotSymlink' | 'Reset';

/** Unpacks archives into a root file system. */
export class CpioUnpacker {
  /** Message of the first error. */
  message: string | undefined;
  state: State = 'Start';
  /** this_header: offset of the next byte in its archive. */
  thisHeader = 0;
  // The state after the built-in archive, which populate_rootfs() unpacks first.
  private nextState: State = 'Reset';
  private nextHeader = 0;
  private header: Header = parseHeader(new Uint8Array(HEADER_SIZE));
  private collected: Uint8Array = new Uint8Array(0);
  private collectAt = 0;
  private remains = 0;
  private bodyLeft = 0;
  private wfd = 0;
  private written = 0;
  private path = '';
  /** find_link(): the first path of each file with several links. */
  private readonly links = new Map<string, string>();
  /** dir_add(): directories, whose times are set at the end. */
  private readonly directories: { path: string; mtime: number }[] = [];

  constructor(private readonly fs: Rootfs) {}

  /** error(): only the first is stored. */
  error(text: string): void {
    this.message ??= text;
  }

  /** write_buffer(): consumes bytes until an archive ends or none are left. */
  write(input: Input): void {
    for (;;) if (this.act(input) === WAIT) return;
  }

  /** flush_buffer(): consumes a decompressor's output; false if it should stop. */
  flush(bytes: Uint8Array): boolean {
    if (this.message !== undefined) return false;
    const input = new Bytes(bytes);
    for (;;) {
      this.write(input);
      if (input.left === 0 || this.message !== undefined) return true;
      const next = input.peek(1)[0];
      if (next === 0x30) this.state = 'Start';
      else if (next === 0) this.state = 'Reset';
      else this.error('junk in compressed archive');
    }
  }

  /** dir_utime(): sets the times of the directories, after all files. */
  finish(): void {
    for (const { path, mtime } of this.directories) this.fs.change(path, false, { mtime });
  }

  private act(input: Input): boolean {
    switch (this.state) {
      case 'Start':
        return this.readInto(input, HEADER_SIZE, 'GotHeader');
      case 'Collect':
        return this.collect(input);
      case 'GotHeader':
        return this.gotHeader(input);
      case 'SkipIt':
        return this.skip(input);
      case 'GotName':
        return this.gotName();
      case 'CopyFile':
        return this.copyFile(input);
      case 'GotSymlink':
        return this.gotSymlink();
      case 'Reset':
        return this.reset(input);
    }
  }

  private eat(input: Input, count: number): void {
    input.eat(count);
    this.thisHeader += count;
  }

  private readInto(input: Input, size: number, next: State): boolean {
    if (input.left >= size) {
      this.collected = input.peek(size);
      this.eat(input, size);
      this.state = next;
    } else this.collectInto(size, next);
    return CONTINUE;
  }

  private collectInto(size: number, next: State): void {
    this.collected = new Uint8Array(size);
    this.collectAt = 0;
    this.remains = size;
    this.nextState = next;
    this.state = 'Collect';
  }

  private collect(input: Input): boolean {
    const count = Math.min(this.remains, input.left);
    if (count > 0) this.collected.set(input.peek(count), this.collectAt);
    this.eat(input, count);
    this.collectAt += count;
    this.remains -= count;
    if (this.remains !== 0) return WAIT;
    this.state = this.nextState;
    return CONTINUE;
  }

  private gotHeader(input: Input): boolean {
    const magic = latin1(this.collected.subarray(0, MAGIC.length));
    if (magic !== MAGIC) {
      this.error(
        magic === OLD_MAGIC ? 'incorrect cpio method used: use -H newc option' : 'no cpio magic',
      );
      return WAIT;
    }
    this.header = parseHeader(this.collected);
    const { mode, nameLength, bodyLength } = this.header;
    this.bodyLeft = bodyLength;
    this.nextHeader = align4(this.thisHeader + nAlign(nameLength) + bodyLength);
    this.state = 'SkipIt';
    if (nameLength <= 0 || nameLength > PATH_MAX) return CONTINUE;
    if (isType(mode, S_IFLNK)) {
      if (bodyLength <= PATH_MAX) this.collectInto(nAlign(nameLength) + bodyLength, 'GotSymlink');
    } else if (isType(mode, S_IFREG) || bodyLength === 0) {
      return this.readInto(input, nAlign(nameLength), 'GotName');
    }
    return CONTINUE;
  }

  private skip(input: Input): boolean {
    const count = this.nextHeader - this.thisHeader;
    if (input.left < count) {
      this.eat(input, input.left);
      return WAIT;
    }
    this.eat(input, count);
    this.state = this.nextState;
    return CONTINUE;
  }

  private reset(input: Input): boolean {
    while (input.left > 0) {
      const chunk = input.some(input.left);
      const zeros = chunk.findIndex((byte) => byte !== 0);
      this.eat(input, zeros < 0 ? chunk.length : zeros);
      if (zeros >= 0) break;
    }
    if (input.left > 0 && this.thisHeader % 4 !== 0) this.error('broken padding');
    return WAIT;
  }

  /** maybe_link(): 1 if the file is linked to its first path, −1 if the link fails, 0 if the file has no earlier path. */
  private maybeLink(path: string): number {
    const { nlink, major, minor, ino, mode } = this.header;
    if (nlink < 2) return 0;
    const key = [major, minor, ino, mode & S_IFMT].join(' ');
    const old = this.links.get(key);
    if (old === undefined) {
      this.links.set(key, path);
      return 0;
    }
    return this.fs.link(old, path) < 0 ? -1 : 1;
  }

  /** clean_path(): removes an existing file of another type. */
  private cleanPath(path: string, mode: number): void {
    const existing = this.fs.lstatMode(path);
    if (existing === undefined || ((existing ^ mode) & S_IFMT) === 0) return;
    if (isType(existing, S_IFDIR)) this.fs.rmdir(path);
    else this.fs.unlink(path);
  }

  private gotName(): boolean {
    this.state = 'SkipIt';
    this.nextState = 'Reset';
    const path = cString(this.collected);
    if (path === TRAILER) {
      this.links.clear();
      return CONTINUE;
    }
    const { mode, uid, gid, mtime, rdev, bodyLength } = this.header;
    this.cleanPath(path, mode);
    if (isType(mode, S_IFREG)) {
      const linked = this.maybeLink(path);
      const wfd = linked < 0 ? -1 : this.fs.open(path, linked !== 1, mode);
      if (wfd < 0) return CONTINUE;
      this.fs.changeInode(wfd, { uid, gid });
      this.fs.chmodInode(wfd, mode);
      if (bodyLength > 0) this.fs.truncate(wfd, bodyLength);
      this.wfd = wfd;
      this.written = 0;
      this.path = path;
      this.state = 'CopyFile';
    } else if (isType(mode, S_IFDIR)) {
      this.fs.mkdir(path, mode);
      this.fs.change(path, true, { uid, gid });
      this.fs.chmod(path, mode);
      this.directories.push({ path, mtime });
    } else if (isType(mode, S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK) && this.maybeLink(path) === 0) {
      this.fs.mknod(path, mode, rdev);
      this.fs.change(path, true, { uid, gid });
      this.fs.chmod(path, mode);
      this.fs.change(path, false, { mtime });
    }
    return CONTINUE;
  }

  private copyFile(input: Input): boolean {
    const whole = input.left >= this.bodyLeft;
    for (let count = Math.min(input.left, this.bodyLeft); count > 0;) {
      const chunk = input.some(count);
      this.xwrite(chunk);
      this.eat(input, chunk.length);
      count -= chunk.length;
      this.bodyLeft -= chunk.length;
    }
    if (!whole) return WAIT;
    this.fs.change(this.path, false, { mtime: this.header.mtime });
    this.state = 'SkipIt';
    return CONTINUE;
  }

  private xwrite(chunk: Uint8Array): void {
    const written = this.fs.write(this.wfd, this.written, chunk);
    this.written += written;
    if (written === chunk.length) return;
    this.error('write error');
    this.wfd = 0; // the rest of the body is dropped
  }

  private gotSymlink(): boolean {
    const { nameLength, uid, gid, mtime } = this.header;
    const path = cString(this.collected);
    this.cleanPath(path, 0);
    this.fs.symlink(cString(this.collected.subarray(nAlign(nameLength))), path);
    this.fs.change(path, false, { uid, gid });
    this.fs.change(path, false, { mtime });
    this.state = 'SkipIt';
    this.nextState = 'Reset';
    return CONTINUE;
  }
}

/** Input from a buffer. */
export class Bytes implements Input {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }
  peek(count: number): Uint8Array {
    return this.bytes.subarray(this.at, this.at + count);
  }
  some(most: number): Uint8Array {
    return this.peek(Math.min(most, this.left));
  }
  eat(count: number): void {
    this.at += count;
  }
}
