/**
 * The lines of a kernel log with facts about the machine, except the memory maps: a table of patterns. Each may match
 * anywhere in a line, after time stamps and quoting marks; all run in time linear in the line's length.
 */
import { deviceIn } from './dmesg-devices.js';
import type { Collected } from './dmesg-facts.js';
import { plain } from './log-text.js';

interface LinePattern {
  readonly pattern: RegExp;
  readonly take: (match: RegExpExecArray, facts: Collected, line: number) => void;
}

const hex = (text: string | undefined): number => Number(`0x${text ?? '0'}`);

/** Sets a fact if no line before did. */
function first<K extends keyof Collected>(
  facts: Collected,
  key: K,
  value: Collected[K],
  line: number,
): void {
  if (facts[key] !== undefined) return;
  facts[key] = value;
  facts.at.set(key, line);
}

/** Lines with facts that a scenario has no key for: each kind is reported once, with its first line. */
const UNUSED: readonly (readonly [RegExp, string])[] = [
  [
    /\bDMAR: (?:IOMMU enabled|Host address width|DRHD base)|\bACPI: DMAR\b/,
    'an Intel IOMMU (DMAR)',
  ],
  [/\bAMD-Vi: Initialized for Passthrough Mode/, 'the IOMMU passes DMA through (iommu=pt)'],
  [/\bTSME (?:is )?(?:enabled|active)/i, 'TSME: firmware encrypts all memory, whatever the C-bit'],
  [
    /\b(?:Memory Encryption Features active: (?:Intel )?TDX|tdx: Guest detected)/,
    'an Intel TDX guest',
  ],
  [
    /\b(?:reserve setup_data|extended physical RAM map|extended): \[mem/,
    'the map after setup_data was reserved',
  ],
  [
    /\b(?:modified|user): (?:\[mem|[0-9a-f]{16} - )/,
    'a memory map changed by the command line or the kernel',
  ],
  [/\be820: (?:update|remove) \[mem/, "the kernel's changes of the memory map"],
  [/\befi: (?:Remove|Not removing) mem\d/, 'MMIO that the kernel removed from the memory map'],
  [/\befi: memattr: /, "EFI's memory attributes table"],
  [
    /\bReserving \d{1,8}MB of memory at\b|\bcrashkernel reserved:/,
    'memory reserved for a crash kernel',
  ],
  [
    /\bsoftware IO TLB: (?:mapped|area)|Placing \d{1,6}MB software IO TLB/i,
    'the address of the SWIOTLB',
  ],
  [/\bNUMA: Node \d{1,4} \[mem|\bSRAT: Node \d{1,4} PXM|\bACPI: SRAT: Node/, 'NUMA nodes'],
  [
    /\bWARNING: BIOS bug: CPU MTRRs don't cover|mtrr_cleanup:/,
    'MTRRs that do not cover the memory',
  ],
  [/\bKernel Offset: 0x[1-9a-f]/, 'an offset of the kernel (KASLR)'],
  [/\bmicrocode: (?:updated early|microcode updated early)/, 'a microcode update'],
  [
    /\b(?:No EFI runtime due to 32\/64-bit mismatch|EFI32|efi: .{0,40}mixed mode)/i,
    'EFI firmware of 32 bits',
  ],
  [
    /\bx86\/mm: Checked W\+X|\bNX \(Execute Disable\) protection: disabled/,
    "the kernel's report about NX",
  ],
];

const LINES: readonly LinePattern[] = [
  {
    pattern: /\bLinux version (\d[^\s(]{0,63})(.{0,400})/,
    take: ([, version = '', rest = ''], facts, line) => {
      first(facts, 'version', plain(version), line);
      const built =
        /\b(?:i[3-6]86|x86_32)\b/.exec(rest)?.[0] ??
        /[-.](?:i[3-6]86|686-pae|686|pae)\b/.exec(version)?.[0];
      if (built !== undefined)
        first(facts, 'bits32', `"${built.replace(/^[-.]/, '')}" in its version`, line);
    },
  },
  {
    pattern:
      /\b\d{1,6}MB (?:HIGH|LOW)MEM available|\bNX \(Execute Disable\) protection cannot be enabled/,
    take: ([found = ''], facts, line) => {
      first(facts, 'bits32', `"${found.slice(0, 40)}"`, line);
    },
  },
  {
    pattern: /^(?!.{0,40}\(XEN\))(?:.{0,160}[^\w])?(Kernel c|C)ommand line: (.*)$/,
    take: ([, kind, text = ''], facts, line) => {
      const value = plain(text).trimEnd();
      if (kind === 'C') {
        first(facts, 'commandLine', value, line);
        return;
      }
      // Since Linux 6.19 a long line is printed in parts, each with the prefix and all but the last with " \" at the end.
      const before = facts.kernelCommandLine.at(-1);
      if (before !== undefined && !before.endsWith('\\')) return;
      if (before === undefined) facts.at.set('kernelCommandLine', line);
      facts.kernelCommandLine.push(value);
    },
  },
  {
    pattern: /\bRAMDISK: \[mem 0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})\]/i,
    take: (match, facts, line) => {
      if (/new {1,4}$/.test(match.input.slice(Math.max(0, match.index - 8), match.index))) return;
      const [, start, end] = match;
      if (hex(end) > hex(start))
        first(facts, 'ramdisk', { start: hex(start), end: hex(end) }, line);
    },
  },
  {
    // Before Linux 3.5: the end was exclusive.
    pattern: /\bRAMDISK: ([0-9a-f]{8,16}) - ([0-9a-f]{8,16})\b/i,
    take: (match, facts, line) => {
      if (/new {1,4}$/.test(match.input.slice(Math.max(0, match.index - 8), match.index))) return;
      const [, start, end] = match;
      const ramdisk = { start: hex(start), end: hex(end) - 1 };
      if (ramdisk.end > ramdisk.start) first(facts, 'ramdisk', ramdisk, line);
    },
  },
  {
    pattern: /\bAllowing (\d{1,5}) CPUs, (-?\d{1,5}) hotplug CPUs/,
    take: ([, all, hotplug], facts, line) => {
      facts.counts.possible ??= Number(all);
      facts.counts.present ??= Number(all) - Number(hotplug);
      if (!facts.at.has('cpus')) facts.at.set('cpus', line);
    },
  },
  {
    pattern: /\bAllowing (\d{1,5}) present CPUs plus (\d{1,5}) hotplug CPUs/,
    take: ([, present, hotplug], facts, line) => {
      facts.counts.present ??= Number(present);
      facts.counts.possible ??= Number(present) + Number(hotplug);
      if (!facts.at.has('cpus')) facts.at.set('cpus', line);
    },
  },
  {
    pattern: /\b(?:Brought|Booted) up (?:\d{1,4} nodes?, )?(\d{1,5}) CPUs?\b/,
    take: ([, up], facts, line) => {
      facts.counts.up ??= Number(up);
      if (!facts.at.has('cpus up')) facts.at.set('cpus up', line);
    },
  },
  {
    pattern: /\bTotal of (\d{1,5}) processors? activated/,
    take: ([, up], facts, line) => {
      facts.counts.up ??= Number(up);
      if (!facts.at.has('cpus up')) facts.at.set('cpus up', line);
    },
  },
  {
    // print_cpu_info and smp_boot_cpus since 2.6; the family since 3.7.
    pattern:
      /\bCPU0?: (\S.{0,79}?) \((?:family|fam): (?:0x)?([0-9a-f]{1,3}), model: (?:0x)?([0-9a-f]{1,3})\b/i,
    take: ([, name = '', family, model], facts, line) => {
      first(
        facts,
        'cpu',
        { name: plain(name).trim(), family: hex(family), model: hex(model) },
        line,
      );
    },
  },
  {
    // xen/arch/x86/cpu/common.c, print_cpu_info: of the machine, not of the guest.
    pattern:
      /\(XEN\).{0,40}\bCPU Vendor: (\w{1,16}), Family \d{1,3} \(0x([0-9a-f]{1,3})\), Model \d{1,3} \(0x([0-9a-f]{1,3})\)/,
    take: ([, name = '', family, model], facts, line) => {
      first(facts, 'cpu', { name, family: hex(family), model: hex(model) }, line);
    },
  },
  {
    pattern: /\bCPU0?: (\S.{2,79}?) stepping [0-9a-f]{2}\b/,
    take: ([, name = ''], facts, line) => {
      first(facts, 'cpu', { name: plain(name).trim() }, line);
    },
  },
  {
    pattern:
      /\bDMI: (?!SMBIOS [\d.]+ present|DMI [\d.]+ present|Memory slots|not present)(\S.{0,199})/,
    take: ([, dmi = ''], facts, line) => {
      first(facts, 'dmi', plain(dmi).trimEnd(), line);
    },
  },
  {
    // mem_init_print_info since Linux 3.11 (before, with a lower-case k, holes were counted too).
    pattern: /\bMemory: \d{1,12}K\/(\d{1,12})K available/,
    take: ([, kib], facts, line) => {
      first(facts, 'memoryKib', Number(kib), line);
    },
  },
  {
    pattern:
      /\bBooting Linux on (?:physical CPU|hart)|\bMachine model: \S.{0,60}|\bOF: fdt: Machine model/,
    take: ([found = ''], facts, line) => {
      first(facts, 'otherMachine', plain(found), line);
    },
  },
  {
    pattern: /\bBRK \[0x([0-9a-f]{6,16}), 0x[0-9a-f]{6,16}\] PGTABLE/i,
    take: ([, start], facts, line) => {
      first(facts, 'brk', hex(start), line);
    },
  },
  {
    pattern: /\befi: |\bEFI: mem|\befifb: |\bEFI v\d{1,2}\.\d{1,3} by\b/,
    take: (_, facts) => {
      facts.efi = true;
    },
  },
  {
    pattern:
      /\bHypervisor detected: (\S.{0,39})|\bparavirtualized kernel on (?!bare hardware)(\S.{0,39})/,
    take: ([, detected, booted = ''], facts, line) => {
      first(facts, 'hypervisor', plain(detected ?? booted).trim(), line);
    },
  },
  {
    // Linux 5.11 and 6.1 changed the order of the words; the names of features are the same.
    pattern: /\bMemory Encryption Features active: (?:AMD )?(S(?:ME|EV)\b[\w -]{0,40})/,
    take: ([, features = ''], facts, line) => {
      first(facts, 'encryption', plain(features).trim(), line);
    },
  },
  {
    // Linux 4.14 to 5.10.
    pattern: /\bAMD Secure (?:Memory Encryption|Encrypted Virtualization) \((SME|SEV)\) active/,
    take: ([, feature = ''], facts, line) => {
      first(facts, 'encryption', feature, line);
    },
  },
  {
    // early_detect_mem_encrypt clears both features if SYSCFG[23] is clear, so lines that depend on them show it set.
    pattern:
      /\bSEV(?:-ES|-SNP)? (?:supported: \d{1,6} ASIDs|(?:is )?enabled \(ASIDs)|\bSME is active, device will require DMA bounce buffers/,
    take: ([found = ''], facts, line) => {
      first(facts, 'syscfg', found, line);
    },
  },
  {
    pattern: /\bACPI: IVRS 0x[0-9a-f]{1,16}|\bAMD-Vi: (?!AMD IOMMUv2|Unknown option)\S.{0,39}/i,
    take: ([found = ''], facts, line) => {
      first(facts, 'iommu', plain(found).trim(), line);
    },
  },
  {
    pattern: /\bConsole: colour (VGA\+|dummy device) (\d{1,3}x\d{1,3})/,
    take: ([, kind = '', size = ''], facts, line) => {
      first(facts, 'console', `${kind} ${size}`, line);
    },
  },
  {
    pattern: /, (AMD|Intel) PMU driver\b|\bmicrocode: CPU0: (sig=0x|patch_level=0x)/,
    take: ([found = '', vendor, sign = ''], facts, line) => {
      const name = vendor === 'Intel' || sign.startsWith('sig') ? 'Intel' : 'AMD';
      first(facts, 'vendor', { name, because: plain(found).replace(/^, /, '') }, line);
    },
  },
];

/** A cheap filter for long logs: every pattern above needs one of these words. */
const INTERESTING =
  /e820|BIOS-|Xen|XEN|efi|EFI|ommand line|RAMDISK|CPU|up \d|processors? act|Linux version|Booting Linux|Machine model|DMI:|BRK \[|Hypervisor|paravirt|Encrypt|SEV|SME|AMD-Vi|IVRS|DMAR|Console:|DMA|dma|HIGHMEM|LOWMEM|NX \(|PMU|setup_data|modified|user:|extended|NUMA|SRAT|MTRR|mtrr|Kernel Offset|microcode|Memory:|flags:|hcc params|DAC|tdx|crashkernel|Reserving|IO TLB|guest|ADMA/;
export const isInteresting = (text: string): boolean => INTERESTING.test(text);

/** Most drivers recorded (our choice: more than any machine has). */
const DEVICES_MAX = 64;

/** Records the facts of a line, except memory maps. */
export function takeLine(facts: Collected, text: string, line: number): void {
  for (const { pattern, take } of LINES) {
    const match = pattern.exec(text);
    if (match !== null) take(match, facts, line);
  }
  for (const [pattern, what] of UNUSED) {
    if (facts.unused.some((fact) => fact.what === what)) continue;
    if (pattern.test(text)) facts.unused.push({ what, line });
  }
  const device = deviceIn(text);
  if (device === undefined) return;
  // Of several devices with one driver the narrowest is recorded.
  const at = facts.devices.findIndex(({ driver }) => driver === device.driver);
  const known = facts.devices[at];
  if (known !== undefined && known.bits <= device.bits) return;
  if (known === undefined && facts.devices.length >= DEVICES_MAX) return;
  facts.devices.splice(at < 0 ? facts.devices.length : at, at < 0 ? 0 : 1, device);
  facts.at.set(`device ${device.driver}`, line);
}
