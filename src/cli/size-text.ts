/** Sizes for people. */
const KIB = 1024;
const MIB = KIB * KIB;

/** A size in bytes, KiB or MiB, rounded to one decimal. */
export function sizeText(bytes: number): string {
  if (bytes < KIB) return `${String(bytes)} bytes`;
  const [size, unit] = bytes < MIB ? [bytes / KIB, 'KiB'] : [bytes / MIB, 'MiB'];
  return `${String(Math.round(size * 10) / 10)} ${unit}`;
}
