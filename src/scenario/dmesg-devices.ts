/** Lines in which drivers print the DMA address width of their device. Most drivers print none. */
import type { DeviceFact } from './dmesg-facts.js';

interface DevicePattern {
  /** The driver, if its name is not the first word before the device's address. */
  readonly driver?: string;
  readonly pattern: RegExp;
  readonly bits: (match: RegExpExecArray) => number | undefined;
}

const decimal = ([, bits]: RegExpExecArray): number => Number(bits);
const always = (bits: number) => (): number => bits;

/** HCCPARAMS1 bit 0, AC64 (xHCI 5.3.6). */
const AC64 = 1;

const DEVICES: readonly DevicePattern[] = [
  // drivers/net/ethernet/broadcom/tg3.c, tg3_init_one.
  { driver: 'tg3', pattern: /\btg3 .{0,60}dma_mask\[(\d\d)-bit\]/, bits: decimal },
  // drivers/scsi/mpt3sas/mpt3sas_base.c _base_config_dma_addressing; drivers/message/fusion/mptbase.c.
  {
    pattern: /\b(?:mpt[23]sas|mptbase)\w{0,8}: .{0,24}?(\d\d) BIT PCI BUS DMA ADDRESSING/,
    bits: decimal,
  },
  // drivers/scsi/megaraid/megaraid_sas_base.c, megasas_set_dma_mask.
  { driver: 'megaraid-sas', pattern: /\bmegaraid_sas .{0,40}?(\d\d) bit DMA mask/, bits: decimal },
  // drivers/net/wireless/broadcom/b43/dma.c, b43_dma_set_mask.
  {
    driver: 'b43',
    pattern: /\bb43(?:legacy)?-phy\d{1,2}.{0,12}: (\d\d)-bit DMA initialized/,
    bits: decimal,
  },
  // drivers/ata/ahci: the capability S64A, as ahci_print_info names it.
  {
    driver: 'ahci',
    pattern: /\bahci .{0,40}flags: (64bit )?/,
    bits: ([, wide]) => (wide === undefined ? 32 : 64),
  },
  // drivers/usb/host/xhci.c, xhci_gen_setup.
  {
    driver: 'xhci-hcd',
    pattern: /\bxhci_hcd .{0,40}\bhcc params 0x([0-9a-f]{1,8})/,
    bits: ([, params]) => ((Number(`0x${params ?? '0'}`) & AC64) !== 0 ? 64 : 32),
  },
  // drivers/mmc/host/sdhci.c, sdhci_add_host.
  {
    driver: 'sdhci',
    pattern: /\bSDHCI controller on .{0,60}\] using (ADMA 64-bit|ADMA|DMA)\b/,
    bits: ([, how]) => (how === 'ADMA 64-bit' ? 64 : 32),
  },
  // drivers/scsi/vmw_pvscsi.c; drivers/scsi/sym53c8xx_2/sym_glue.c; drivers/block/cciss.c.
  { driver: 'vmw-pvscsi', pattern: /\bvmw_pvscsi: using (32|64)bit dma/, bits: decimal },
  { driver: 'sym53c8xx', pattern: /\bsym\d{1,2}: using (\d\d) bit DMA addressing/, bits: decimal },
  { driver: 'cciss', pattern: /\bcciss\d?:? .{0,80}using DAC\b/, bits: always(64) },
  // Any other driver that prints its mask after its device: "radeon 0000:01:00.0: ... 40-bit DMA", "DMA mask 44 bits".
  {
    pattern: /:[\da-f]{2}:[\da-f]{2}\.\d: .{0,80}?\b(\d\d)[- ]?bit (?:wide )?DMA\b/i,
    bits: decimal,
  },
  { pattern: /:[\da-f]{2}:[\da-f]{2}\.\d: .{0,40}\bDMA mask:? (\d\d) ?bits?\b/i, bits: decimal },
];

/** The word before a PCI address, or before the colon. */
const DRIVER = /([a-z][\w-]{1,31})(?: [\da-f]{4}:[\da-f]{2}:[\da-f]{2}\.\d)?: /g;
const LEAST = 12;
const MOST = 64;

/** The device whose address width a line has. */
export function deviceIn(text: string): DeviceFact | undefined {
  if (!/DMA|dma|flags: |hcc params|DAC/.test(text)) return undefined;
  for (const { driver, pattern, bits: of } of DEVICES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const bits = of(match);
    const name = driver ?? driverOf(text, match.index);
    if (bits === undefined || bits < LEAST || bits > MOST || name === undefined) continue;
    return { driver: name, bits };
  }
  return undefined;
}

/** A driver's name in the form of a scenario: the last one before the match, or in it. */
function driverOf(text: string, at: number): string | undefined {
  const from = Math.max(0, at - 48);
  const names = [...text.slice(from, at + 48).matchAll(DRIVER)].filter(
    ({ index, 1: word }) => from + index <= at && word !== 'kernel',
  );
  const name = names.at(-1)?.[1];
  const clean = name
    ?.toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/\d*-?$/, '');
  return clean === undefined || !/^[a-z]/.test(clean) ? undefined : clean;
}
