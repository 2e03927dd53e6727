/** The program's version, which stands once, in package.json: the build puts it here (scripts/defines.mjs). */

declare const SME_BOOT_VERSION: string | undefined;

/** The version in package.json; `unknown` if the module was bundled by other means than the project's. */
export const VERSION: string =
  typeof SME_BOOT_VERSION === 'undefined' ? 'unknown' : SME_BOOT_VERSION;
