/**
 * Debian's unmodified 6.1 kernel, executed on the machine with four CPUs, EFI, ACPI, APICs and VGA, to a user-space /init. The
 * code of EFI's runtime services is not modelled: the command line is without them. A boot takes a core one to two minutes.
 */
import { expect, test } from '@jest/globals';
import { KEY_HOST, va } from '../../src/machine/address.js';
import { nodeCipher } from '../../src/node/node-cipher.js';
import { ExecutedBoot } from '../../src/sequencer/executed-boot.js';
import { screenOf } from '../../src/sequencer/screen.js';
import { scenario } from '../helpers.js';
import { debianKernel } from './debian-kernel.js';
import { executable, ramDisk, writeAndPowerOff } from './user-space.js';

const CMDLINE = 'console=ttyS0 mem_encrypt=on cryptomgr.notests efi=noruntime';
const LINE = 'This line comes from CPL 3.';
const MOST = 900e6;
/** Instructions after which the other CPUs start, one after the other: 226 to 251 million. */
const STARTING = 240e6;
const MINUTES = 60_000;
const image = debianKernel();

function boot(cmdline: string): ExecutedBoot {
  return new ExecutedBoot({
    scenario: scenario('epyc-efi', `cmdline=${cmdline}`),
    image,
    initrd: ramDisk(executable('init', writeAndPowerOff(LINE))),
    cipher: nodeCipher,
  });
}

/** Runs to the halt, at which the line of CPL 3 has been written. */
function toHalt(it: ExecutedBoot): string {
  const end = it.run({ maxInstructions: MOST });
  const { text } = it.uart;
  expect([end.kind, text]).toEqual(['halt', expect.stringContaining(`\n${LINE}\r\n`)]);
  expect(text).toContain('Memory Encryption Features active: AMD SME');
  expect(text).toContain('Run /init as init process');
  expect(text).not.toMatch(/BUG:|WARNING: CPU|Oops|Kernel panic/);
  return text;
}

/** What a run has come to. */
const stateOf = ({ executor, uart, machine }: ExecutedBoot): unknown => {
  const { core, turn } = executor.snapshot();
  const others = turn?.others.map((each) => each.core);
  return [executor.instructions, uart.text, core, others, machine.cpus.map((c) => c.snapshot())];
};

test(
  'four CPUs come up with SME on, and a snapshot taken while they start goes on to the same end',
  () => {
    const whole = boot(CMDLINE);
    whole.run({ maxInstructions: STARTING });
    const text = whole.uart.text;
    expect(text).toContain('smp: Bringing up secondary CPUs');
    expect(text).not.toContain('smp: Brought up');
    const snapshot = structuredClone(whole.snapshot());
    expect(toHalt(whole)).toContain('smp: Brought up 1 node, 4 CPUs');
    expect(whole.uart.text).toContain('Total of 4 processors activated');
    for (const cpu of whole.machine.cpus) {
      expect([cpu.mode, cpu.encryption, (cpu.cr3 >> 47n) & 1n]).toEqual(['64-bit', true, 1n]);
      const banner = cpu.translate(va(whole.symbol('linux_banner')));
      expect(banner).toMatchObject({ key: KEY_HOST });
    }
    const other = boot(CMDLINE);
    other.restore(snapshot);
    toHalt(other);
    expect(stateOf(other)).toEqual(stateOf(whole));
  },
  60 * MINUTES,
);

test(
  'with maxcpus=1 one CPU has its APICs and reaches /init, and console=tty0 is the screen',
  () => {
    const it = boot(`console=tty0 ${CMDLINE} maxcpus=1`);
    const text = toHalt(it);
    expect(text).toContain('IOAPIC[0]: apic_id 128, version 17, address 0xfec00000, GSI 0-23');
    expect(text).toContain('APIC: Switch to symmetric I/O mode setup');
    expect(text).toContain('Total of 1 processors activated');
    expect(screenOf(it.machine)?.join('\n')).toContain('Run /init as init process');
  },
  30 * MINUTES,
);
