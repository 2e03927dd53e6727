/**
 * struct boot_params, the zero page: offsets of the fields that boot code and loaders use, under the kernel's names
 * (arch/x86/include/uapi/asm/bootparam.h; Documentation/x86/zero-page.txt).
 */
export const BOOT_PARAMS = {
  orig_x: 0x000,
  orig_y: 0x001,
  screen_info_ext_mem_k: 0x002,
  orig_video_mode: 0x006,
  orig_video_cols: 0x007,
  orig_video_ega_bx: 0x00a,
  orig_video_lines: 0x00e,
  orig_video_isVGA: 0x00f,
  orig_video_points: 0x010,
  acpi_rsdp_addr: 0x070,
  ext_ramdisk_image: 0x0c0,
  ext_ramdisk_size: 0x0c4,
  ext_cmd_line_ptr: 0x0c8,
  efi_info: 0x1c0,
  alt_mem_k: 0x1e0,
  scratch: 0x1e4,
  e820_entries: 0x1e8,
  kbd_status: 0x1eb,
  sentinel: 0x1ef,
  hdr: 0x1f1,
  setup_sects: 0x1f1,
  syssize: 0x1f4,
  boot_flag: 0x1fe,
  header: 0x202,
  version: 0x206,
  type_of_loader: 0x210,
  loadflags: 0x211,
  code32_start: 0x214,
  ramdisk_image: 0x218,
  ramdisk_size: 0x21c,
  cmd_line_ptr: 0x228,
  kernel_alignment: 0x230,
  relocatable_kernel: 0x234,
  min_alignment: 0x235,
  xloadflags: 0x236,
  cmdline_size: 0x238,
  hardware_subarch: 0x23c,
  setup_data: 0x250,
  pref_address: 0x258,
  init_size: 0x260,
  _pad7: 0x268,
  edd_mbr_sig_buffer: 0x290,
  e820_map: 0x2d0,
  _pad8: 0xcd0,
  eddbuf: 0xd00,
  _pad9: 0xeec,
  size: 0x1000,
} as const;

/** "HdrS", the boot protocol's magic at `header`. */
export const HDRS_MAGIC = 0x5372_6448;
/** The two bytes at `boot_flag`. */
export const BOOT_FLAG = 0xaa55;
/** An undefined boot loader (Documentation/x86/boot.txt: type_of_loader 0xff). */
export const LOADER_UNDEFINED = 0xff;
