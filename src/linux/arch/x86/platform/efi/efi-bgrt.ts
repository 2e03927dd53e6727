/** arch/x86/platform/efi/efi-bgrt.c: copying the firmware's boot image. */
import { PAGE_SIZE, va } from '../../../../../machine/address.js';
import { ACPI_TABLE_HEADER } from '../../../../drivers/acpi/acpica/tbutils.js';
import { GFP } from '../../../../mm/page_alloc/page_alloc.js';
import { fn, bodies } from '../../../../../kernel/table.js';
import type { Kernel } from '../../../../../kernel/kernel.js';

declare module '../../../../../kernel/table.js' {
  interface Entries {
    efi_bgrt_init(k: Kernel): void;
  }
}

/** struct acpi_table_bgrt (actbl3.h), after the header. */
export const ACPI_TABLE_BGRT = {
  version: 36,
  status: 38,
  image_type: 39,
  image_address: 40,
  image_offset_x: 48,
  image_offset_y: 52,
  size: 56,
} as const;
/** struct bmp_header (efi-bgrt.c), packed. */
const BMP_HEADER = { id: 0, size: 2, bytes: 6 } as const;
const BMP_MAGIC = 0x4d42;
/** Bytes of the largest kmalloc() allocation (include/linux/slab.h: 4 MiB). */
const KMALLOC_MAX_SIZE = 1024 * PAGE_SIZE;

export const efiBgrt = bodies({
  efi_bgrt_init: fn((k: Kernel) => {
    const table = k.fn.acpi_get_table('BGRT');
    if (table === undefined) return;
    const ignore = (why: string): void => {
      k.fn.printk(`efi_bgrt: Ignoring BGRT: ${why}`);
    };
    const { address: at } = table;
    const length = k.readU32(va(at + ACPI_TABLE_HEADER.length));
    const bytes = k.readBytes(at, Math.min(length, ACPI_TABLE_BGRT.size));
    k.trace.recorder.consumed('BGRT', 'efi_bgrt_init', bytes);
    if (length < ACPI_TABLE_BGRT.size) {
      ignore(`invalid length ${String(length)} (expected ${String(ACPI_TABLE_BGRT.size)})`);
      return;
    }
    const view = new DataView(bytes.buffer);
    const version = view.getUint16(ACPI_TABLE_BGRT.version, true);
    const status = view.getUint8(ACPI_TABLE_BGRT.status);
    const type = view.getUint8(ACPI_TABLE_BGRT.image_type);
    const image = Number(view.getBigUint64(ACPI_TABLE_BGRT.image_address, true));
    const refusal =
      version !== 1
        ? `invalid version ${String(version)} (expected 1)`
        : (status & 0xfe) !== 0
          ? `reserved status bits are non-zero ${String(status)}`
          : type !== 0
            ? `invalid image type ${String(type)} (expected 0)`
            : image === 0
              ? 'null image address'
              : undefined;
    if (refusal !== undefined) {
      ignore(refusal);
      return;
    }
    copyImage(k, image, ignore);
  }),
});

function copyImage(k: Kernel, phys: number, ignore: (why: string) => void): void {
  const header = k.fn.memremap(phys, BMP_HEADER.bytes);
  if (header === 0) {
    ignore('failed to map image header memory');
    return;
  }
  const bytes = k.readBytes(header, BMP_HEADER.bytes);
  k.fn.memunmap(header);
  k.trace.recorder.consumedPart('BGRT image', 'efi_bgrt_init', 0, bytes);
  const view = new DataView(bytes.buffer);
  const id = view.getUint16(BMP_HEADER.id, true);
  const size = view.getUint32(BMP_HEADER.size, true);
  if (id !== BMP_MAGIC) {
    ignore(`Incorrect BMP magic number 0x${id.toString(16)} (expected 0x4d42)`);
    return;
  }
  // kmalloc(): whole pages, since the model has no slabs (our choice).
  const copy = size > KMALLOC_MAX_SIZE ? 0 : k.fn.alloc_pages_exact(GFP.KERNEL, size);
  if (copy === 0) {
    ignore(`failed to allocate memory for image (wanted ${String(size)} bytes)`);
    return;
  }
  const mapped = k.fn.memremap(phys, size);
  if (mapped === 0) {
    ignore('failed to map image memory');
    return;
  }
  k.memcpy(k.__va(copy), mapped, size);
  k.trace.recorder.consumed('BGRT image', 'efi_bgrt_init', k.readBytes(va(k.__va(copy)), size));
  k.fn.memunmap(mapped);
  k.state.efi.bgrt = { image: copy, size };
}
