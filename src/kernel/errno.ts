/** include/uapi/asm-generic/errno-base.h: what kernel functions return negated. */
export const ENOENT = 2;
export const EIO = 5;
export const ENOMEM = 12;
export const EFAULT = 14;
export const EBUSY = 16;
export const ENODEV = 19;
export const EINVAL = 22;
/** include/uapi/asm-generic/errno.h. */
export const EADDRNOTAVAIL = 99;
/** include/linux/kernel.h. */
export const INT_MAX = 2 ** 31 - 1;
