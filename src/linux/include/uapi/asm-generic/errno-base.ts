/** include/uapi/asm-generic/errno-base.h: error numbers, which kernel functions return negated. */
export const EPERM = 1;
export const ENOENT = 2;
export const EIO = 5;
export const ENXIO = 6;
export const ENOEXEC = 8;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const ENOSPC = 28;
/** include/uapi/asm-generic/errno.h. */
export const ENAMETOOLONG = 36;
export const ENOTEMPTY = 39;
export const ELOOP = 40;
export const ELIBBAD = 80;
export const EADDRNOTAVAIL = 99;
/** include/linux/kernel.h. */
export const INT_MAX = 2 ** 31 - 1;
