/** Debian's unmodified bzImages from their own decompressor on. Fetched by scripts/fetch-debian-kernel.mjs. */
import { describe, expect, test } from '@jest/globals';
import { BOOT_PARAMS } from '../../src/firmware/boot-params.js';
import { readKernelImage, type KernelImage } from '../../src/firmware/image/kernel-image.js';
import { KEY_HOST, pa, va } from '../../src/machine/address.js';
import { readBytes } from '../../src/node/files.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { scenario } from '../helpers.js';
import { debianImages, fetchedOf } from './images.js';

const CMDLINE = 'console=ttyS0 earlyprintk=serial,ttyS0,115200 mem_encrypt=on';
/** The whole boot up to the kernel's own entry takes a minute or two. */
const TIMEOUT = 900_000;
const ZERO_PAGE = 0x9_0000;
const XLF_MEM_ENCRYPTION = 0x80;

function imageOf(name: string): KernelImage {
  const { vmlinuz } = debianImages().find((each) => each.name === name) ?? {};
  if (vmlinuz === undefined) throw new Error(`no image ${name}`);
  return readKernelImage(readBytes(vmlinuz), { file: name });
}

function begun(
  image: KernelImage,
  name: string,
  cmdline: string,
  entry: 'kernel' | 'decompressor' = 'decompressor',
): ExecutedBoot {
  return new ExecutedBoot({
    scenario: scenario(name, `cmdline=${cmdline}`),
    image,
    cipher: nodeCipher,
    entry,
  });
}

/** Physical address of a symbol, by where the kernel is. */
const physical = (boot: ExecutedBoot, name: string): number => boot.names.addressesOf(name)[1];
const banner = (boot: ExecutedBoot, ...key: [typeof KEY_HOST?]): string =>
  String.fromCharCode(...boot.machine.dmaRead(pa(physical(boot, 'linux_banner')), 14, ...key));

describe('6.1 from its decompressor, entered at its 32-bit entry', () => {
  const image = imageOf('cloud');
  const cmdline = `${CMDLINE} nokaslr`;
  const boot = begun(image, 'firmware-syscfg', cmdline);
  const plain = begun(image, 'firmware-syscfg', cmdline, 'kernel');

  test(
    'the stub enters the kernel at its linked address, and says that KASLR is off',
    () => {
      expect(boot.stubEntry).toBe(32);
      expect(boot.runTo('startup_64', 200e6)).toEqual({ kind: 'breakpoint', at: image.entry });
      expect(boot.names.place).toEqual({ kernelAt: 0x100_0000, offset: 0 });
      expect(boot.executor.instructions).toBeGreaterThan(50e6);
      expect(boot.executor.cpu.mode).toBe('64-bit');
      expect(boot.uart.text).toContain('KASLR disabled');
    },
    TIMEOUT,
  );

  test('memory has the same kernel as at the entry of the ELF file', () => {
    for (const { paddr, bytes } of image.segments) {
      const made = boot.machine.dmaRead(pa(paddr), bytes.length);
      expect(Buffer.compare(made, bytes)).toBe(0);
      expect(Buffer.compare(made, plain.machine.dmaRead(pa(paddr), bytes.length))).toBe(0);
    }
  });

  test('its zero page is that of the ELF entry, but for what the stub has written', () => {
    const pages = [boot, plain].map(({ machine }) => machine.dmaRead(pa(ZERO_PAGE), 0x1000));
    const [made = new Uint8Array(0), given = new Uint8Array(0)] = pages;
    const differ = [...made.keys()].filter((at) => made[at] !== given[at]);
    const { acpi_rsdp_addr: rsdp, scratch, code32_start: code32 } = BOOT_PARAMS;
    const written = [rsdp, scratch, code32].flatMap((at) => [0, 1, 2, 3].map((byte) => at + byte));
    expect(differ.filter((at) => !written.includes(at))).toEqual([]);
    expect(new DataView(made.buffer, made.byteOffset).getUint32(rsdp, true)).toBe(0xe_0010);
    expect((made[BOOT_PARAMS.xloadflags] ?? 0) & XLF_MEM_ENCRYPTION).toBe(0);
  });

  test('the kernel encrypts itself, and prints', () => {
    expect(boot.runTo('x86_64_start_kernel', 100_000)).toMatchObject({ kind: 'breakpoint' });
    expect([banner(boot, KEY_HOST), banner(boot)]).toEqual(['Linux version ', expect.anything()]);
    expect(banner(boot)).not.toBe('Linux version ');
    expect(boot.runTo('_printk', 100_000)).toMatchObject({ kind: 'breakpoint' });
  });
});

test(
  'with KASLR symbols follow 6.1 to the addresses that its stub has chosen',
  () => {
    const boot = begun(imageOf('cloud'), 'epyc-efi', CMDLINE);
    expect(boot.stubEntry).toBe(64);
    expect(boot.runTo('x86_64_start_kernel', 200e6)).toMatchObject({ kind: 'breakpoint' });
    const { kernelAt = 0, offset = 0 } = boot.names.place ?? {};
    expect([kernelAt % 0x20_0000, offset % 0x20_0000]).toEqual([0, 0]);
    expect([kernelAt === 0x100_0000, offset === 0]).toEqual([false, false]);
    const { core } = boot.executor;
    expect(core.rip).toBe(boot.symbol('x86_64_start_kernel') + offset);
    const entry = boot.machine.cpus[0].translate(va(boot.symbol('linux_banner') + offset));
    expect(entry).toMatchObject({ pa: physical(boot, 'linux_banner'), key: KEY_HOST });
    expect(banner(boot, KEY_HOST)).toBe('Linux version ');
    expect(boot.runTo('start_kernel', 100_000)).toMatchObject({ kind: 'breakpoint' });
  },
  TIMEOUT,
);

test.each(fetchedOf('cloud-6.12'))(
  'the stub of %s sets bit 7 of xloadflags for mem_encrypt=on, and the kernel turns SME on',
  (name) => {
    const boot = begun(imageOf(name), 'epyc-efi', `${CMDLINE} nokaslr`);
    const flags = (): number =>
      (boot.machine.dmaRead(pa(ZERO_PAGE + BOOT_PARAMS.xloadflags), 1)[0] ?? 0) &
      XLF_MEM_ENCRYPTION;
    expect(flags()).toBe(0);
    expect(boot.runTo('startup_64', 1200e6)).toMatchObject({ kind: 'breakpoint' });
    expect(flags()).toBe(XLF_MEM_ENCRYPTION);
    expect(boot.runTo('x86_64_start_kernel', 200_000)).toMatchObject({ kind: 'breakpoint' });
    expect(banner(boot, KEY_HOST)).toBe('Linux version ');
    const entry = boot.machine.cpus[0].translate(va(boot.symbol('linux_banner')));
    expect(entry).toMatchObject({ key: KEY_HOST });
  },
  TIMEOUT,
);
