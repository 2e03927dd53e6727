/** BGRT and the boot image that firmware displayed: a bitmap in boot services memory. */
import { Struct } from '../struct.js';
import { BGRT } from './layout.js';
import { sdt, summed } from './sdt.js';

const REVISION = 1;
const VERSION = 1;
/** The image is on the screen. */
const DISPLAYED = 1;
const BITMAP = 0;
const OFFSET = { x: 384, y: 284 } as const;

export function bgrt(imageAt: number): Uint8Array {
  return summed(
    sdt('BGRT', REVISION, BGRT.size)
      .u16(BGRT.Version, VERSION)
      .u8(BGRT.Status, DISPLAYED)
      .u8(BGRT.ImageType, BITMAP)
      .u64(BGRT.ImageAddress, imageAt)
      .u32(BGRT.ImageOffsetX, OFFSET.x)
      .u32(BGRT.ImageOffsetY, OFFSET.y),
  );
}

/** BITMAPFILEHEADER and BITMAPINFOHEADER (ACPI 5.2.22.4: a 24-bit BMP without compression). */
export const BMP = {
  bfType: 0,
  bfSize: 2,
  bfOffBits: 10,
  biSize: 14,
  biWidth: 18,
  biHeight: 22,
  biPlanes: 26,
  biBitCount: 28,
  biSizeImage: 34,
  size: 54,
} as const;
const BI_SIZE = 40;
const BYTES_PER_PIXEL = 3;
/** Side of the square image: no row needs padding, and the image spans pages (our choice). */
const SIDE = 64;

/** The boot image: a disc on a colour gradient. */
export function bgrtImage(): Uint8Array {
  const pixels = SIDE * SIDE * BYTES_PER_PIXEL;
  const image = new Struct(BMP.size + pixels)
    .ascii(BMP.bfType, 'BM')
    .u32(BMP.bfSize, BMP.size + pixels)
    .u32(BMP.bfOffBits, BMP.size)
    .u32(BMP.biSize, BI_SIZE)
    .u32(BMP.biWidth, SIDE)
    .u32(BMP.biHeight, SIDE)
    .u16(BMP.biPlanes, 1)
    .u16(BMP.biBitCount, BYTES_PER_PIXEL * 8)
    .u32(BMP.biSizeImage, pixels);
  const middle = SIDE / 2;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const inside = (x - middle) ** 2 + (y - middle) ** 2 < (middle * 0.75) ** 2;
      const at = BMP.size + (y * SIDE + x) * BYTES_PER_PIXEL;
      image.put(at, Uint8Array.of(x * 4, y * 4, inside ? 0xff : 0x20));
    }
  }
  return image.bytes;
}
