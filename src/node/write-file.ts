/** Writes output files: a regular file as a whole, under a temporary name; a FIFO, device or descriptor directly. */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError, systemCode } from './file-errors.js';
import { kindOfPath } from './path-kind.js';
import { pause, writeAll } from './write-all.js';

/** Most symbolic links in a chain (Linux, fs/namei.c: MAXSYMLINKS). */
const MAX_LINKS = 40;
/** Folders of a process's open descriptors. */
const DESCRIPTORS = /^(?:\/proc\/(?:self|thread-self|(\d+))(?:\/task\/\d+)?\/fd|\/dev\/fd)$/;
/** Milliseconds between two attempts to open a FIFO that no one reads yet. */
const FIFO_PAUSE = 20;
const PERMISSIONS = 0o7777;
/** Random bytes in a temporary name. */
const SUFFIX_BYTES = 6;

/** Where an output goes. */
type Target =
  | { readonly to: 'file'; readonly path: string; readonly before: Stats | undefined }
  | { readonly to: 'node'; readonly path: string; readonly fifo: boolean }
  | { readonly to: 'descriptor'; readonly fd: number };

const systemError = (code: string): Error => Object.assign(new Error(code), { code });

/** The file that a name means, all symbolic links followed; the last one need not exist. Throws errors of the system. */
function targetOf(file: string): Target {
  let path = resolve(file);
  // A trailing slash asks for a directory.
  if (/[/\\]$/.test(file)) throw systemError('EISDIR');
  for (let links = 0; links <= MAX_LINKS; links++) {
    path = join(realpathSync(dirname(path)), basename(path));
    const [inDescriptors, pid] = DESCRIPTORS.exec(dirname(path)) ?? [];
    const own = pid === undefined || Number(pid) === process.pid;
    if (inDescriptors !== undefined && own && /^\d+$/.test(basename(path)))
      return { to: 'descriptor', fd: Number(basename(path)) };
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() !== true) return targetAt(path, stats);
    // The links in such a folder are not paths: they name an open file.
    if (inDescriptors !== undefined) return { to: 'node', path, fifo: false };
    path = resolve(dirname(path), readlinkSync(path));
  }
  throw systemError('ELOOP');
}

function targetAt(path: string, stats: Stats | undefined): Target {
  if (stats?.isDirectory() === true) throw systemError('EISDIR');
  if (stats === undefined || stats.isFile()) return { to: 'file', path, before: stats };
  return { to: 'node', path, fifo: stats.isFIFO() };
}

/**
 * What tells whether two names are one regular file: its device and inode, links followed, or its path if it does not exist;
 * undefined: it is no regular file, or cannot be seen.
 */
export function fileIdentity(file: string): string | undefined {
  try {
    const target = targetOf(file);
    if (target.to !== 'file') return undefined;
    const { path, before } = target;
    return before === undefined ? path : `${String(before.dev)}:${String(before.ino)}`;
  } catch {
    return undefined;
  }
}

/**
 * Throws E_WRITE if a file could not be written: its folder is missing or not writable, the file is a directory or not
 * writable, its name is too long. Writes nothing; a disk that is full shows only when it is written to.
 */
export function checkWritable(file: string): void {
  try {
    const target = targetOf(file);
    if (target.to === 'descriptor') {
      fstatSync(target.fd);
      return;
    }
    if (target.to === 'node' || target.before !== undefined) {
      accessSync(target.path, constants.W_OK);
    }
    if (target.to === 'file') {
      statSync(dirname(target.path));
      accessSync(dirname(target.path), constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    throw fileError('E_WRITE', file, error);
  }
}

/** Makes a folder and those above it. Throws E_WRITE. */
export function makeFolder(folder: string): void {
  if (kindOfPath(folder) === 'folder') return;
  const around = dirname(folder);
  if (around !== folder) makeFolder(around);
  try {
    // Not with `recursive`: in a folder of /proc that never returns.
    mkdirSync(folder);
  } catch (error) {
    throw fileError('E_WRITE', folder, error);
  }
}

/** Names of temporary files that are being written. */
const temporaries = new Set<string>();

/** Removes temporary files whose writing was interrupted. */
export function removeTemporaries(): void {
  for (const name of temporaries) rmSync(name, { force: true });
  temporaries.clear();
}

/**
 * Writes a file. A regular file is complete or unchanged: it is written under a temporary name in its folder, then renamed.
 * It keeps its mode and, where the system permits, its owner; a new one has the mode of the umask. A symbolic link stays;
 * its target is written. A FIFO, a device or a descriptor (/dev/stdout) is written directly. Throws E_WRITE.
 */
export function writeWhole(file: string, data: string | Uint8Array): void {
  try {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    const target = targetOf(file);
    if (target.to === 'descriptor') writeAll(target.fd, bytes);
    else if (target.to === 'node') writeNode(target, bytes);
    else writeRegular(target.path, target.before, bytes);
  } catch (error) {
    throw fileError('E_WRITE', file, error);
  }
}

function writeNode({ path, fifo }: { path: string; fifo: boolean }, bytes: Uint8Array): void {
  const fd = fifo ? openFifo(path) : openSync(path, constants.O_WRONLY);
  try {
    writeAll(fd, bytes);
  } finally {
    closeSync(fd);
  }
}

/** Opens a FIFO when it has a reader. A blocking open(2) could not be interrupted: Node repeats it after a signal. */
function openFifo(path: string): number {
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (systemCode(error) !== 'ENXIO') throw error;
      pause(FIFO_PAUSE);
    }
  }
}

function writeRegular(path: string, before: Stats | undefined, bytes: Uint8Array): void {
  // Renaming over a file needs no permission to write it.
  if (before !== undefined) accessSync(path, constants.W_OK);
  const suffix = randomBytes(SUFFIX_BYTES).toString('hex');
  const temporary = join(dirname(path), `.sme-boot-${suffix}.part`);
  temporaries.add(temporary);
  try {
    const fd = openSync(temporary, 'wx');
    try {
      writeAll(fd, bytes);
      if (before !== undefined) restoreOwner(fd, before);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    temporaries.delete(temporary);
  }
}

/** Gives a file the owner, group and mode of the one that it replaces. */
function restoreOwner(fd: number, before: Stats): void {
  const { uid, gid } = fstatSync(fd);
  if (uid !== before.uid || gid !== before.gid) {
    try {
      fchownSync(fd, before.uid, before.gid);
    } catch (error) {
      if (systemCode(error) !== 'EPERM') throw error;
    }
  }
  fchmodSync(fd, before.mode & PERMISSIONS);
}
