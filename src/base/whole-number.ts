/**
 * The number that a text writes in decimal digits; undefined for anything else, as '', ' 7', 1e1 and 0x5, which Number()
 * reads too.
 */
export const wholeNumber = (text: string): number | undefined =>
  /^\d{1,15}$/.test(text) ? Number(text) : undefined;
