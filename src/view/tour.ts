/**
 * The guided tour: ten views of the default scenario, for a reader who knows nothing of memory encryption. A view is a
 * fragment of the page's address.
 */
import type { TourStep } from './page/data.js';

/** The window of the map with the kernel, 16 MiB to 32 MiB. */
const KERNEL = 'map=0x1000000%2B0x1000000';

export const TOUR: readonly TourStep[] = [
  {
    title: 'A computer is switched on',
    text:
      'This page holds a small computer: processors, caches, memory chips. The slider goes through the steps of its boot. ' +
      'Firmware has just put Linux into memory. The map shows what the memory chips hold: orange is readable by anyone who ' +
      'taps the wires, grey was never written. Click a tile to see its bytes.',
    view: `at=loader&panel=memory&place=initrd&map=0x0%2B0x2000000`,
  },
  {
    title: 'The readable kernel',
    text:
      'Here is the beginning of the kernel. The bytes are the same in all three views: on the wires (DRAM), and as the ' +
      'processor reads them without decryption (C=0). With decryption (C=1) it would get nonsense, because they are ' +
      'not encrypted yet.',
    view: `at=startup_64&panel=memory&place=kernel%20text&${KERNEL}`,
  },
  {
    title: 'The kernel encrypts itself',
    text:
      'In this step the kernel reads itself without encryption and writes itself back with it, at the same place. The ' +
      'tiles turn blue: the chips hold ciphertext now. Go back a step and forth again to watch the bytes change.',
    view: `at=startup_64%3Aphys_base&panel=memory&place=kernel%20text&${KERNEL}`,
  },
  {
    title: 'The C-bit',
    text:
      'How does the processor know what to decrypt? Programs use addresses that tables translate, and each entry of a table ' +
      'has one bit for it, the C-bit: where it is 1, the memory controller encrypts what is written and decrypts what is ' +
      'read. This is the walk through the tables for the first byte of the kernel: the column C is 1 in each entry.',
    view: `at=startup_64%3Aswitch&panel=walk&place=_text&${KERNEL}`,
  },
  {
    title: 'Reading it the right way',
    text:
      'From here on the kernel runs with tables that have C=1 everywhere. Its own bytes, read with C=1, are what they were ' +
      'before. On the wires they are noise.',
    view: `at=startup_64%3Aswitch&panel=memory&place=kernel%20text&${KERNEL}`,
  },
  {
    title: 'What others wrote',
    text:
      'The initial RAM disk was put into memory by the boot loader, as plain bytes. A kernel that reads it with C=1 would ' +
      'get nonsense. This step encrypts it where it lies, so that both agree.',
    view: `at=reserve_initrd&panel=memory&place=initrd&map=0x7f000000%2B0x1000000`,
  },
  {
    title: 'Devices',
    text:
      'Devices read memory without the C-bit. What the kernel shares with them has to stay plain: the panel lists the memory ' +
      'that is in the clear now, who wrote it, and what it looks like.',
    view: `at=drivers&panel=exposure&layer=exposure&map=0x0%2B0x400000000`,
  },
  {
    title: 'What went wrong',
    text:
      'The posted patches have flaws. The sanitizer watches every access and reports each read under another key than the ' +
      'bytes were written with, and more. The red marks below the slider are its reports.',
    view: `panel=reports`,
  },
  {
    title: 'Take a piece away',
    text:
      'One part of patch 09, which encrypts the RAM disk, is left out now. The boot was run again, and ends in a panic: the ' +
      'kernel reads nonsense and finds no root file system. The panel compares it with the boot before.',
    view: `without=09%2Finitrd&panel=difference`,
  },
  {
    title: 'Your turn',
    text:
      'Turn the slider of patches down, tick and untick hunks, choose another machine, or drop a kernel of your own. The ' +
      'address of this page always has what you see: a link to it opens the same view in the same file.',
    view: `stage=8&activate=1&panel=reads`,
  },
];
