/** EFI_STATUS (UEFI appendix D): errors have the highest bit set. */
const ERROR = 1n << 63n;

export const EFI_STATUS = {
  SUCCESS: 0n,
  INVALID_PARAMETER: ERROR | 2n,
  UNSUPPORTED: ERROR | 3n,
  BUFFER_TOO_SMALL: ERROR | 5n,
  DEVICE_ERROR: ERROR | 7n,
  OUT_OF_RESOURCES: ERROR | 9n,
  NOT_FOUND: ERROR | 14n,
  NO_MAPPING: ERROR | 17n,
} as const;
