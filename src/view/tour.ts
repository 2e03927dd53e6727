/**
 * The guided tour: ten views of the default scenario, for a reader who knows nothing of memory encryption. A view is a
 * fragment of the page's address.
 */
import type { TourStep } from './page/data.js';

/** The window of the map with the kernel, 16 MiB to 32 MiB. */
const KERNEL = 'map=0x1000000%2B0x1000000';

/** That with the initial RAM disk. */
const INITRD = 'map=0x7ff80000%2B0x80000';

export const TOUR: readonly TourStep[] = [
  {
    title: 'A computer is switched on',
    text:
      'This page holds a small computer: processors, caches, memory chips. It boots a Linux of 2016 with 18 patches that teach ' +
      'it to encrypt its memory; the slider goes through the steps. Firmware has just put Linux into memory. The map ' +
      'shows the first 32 MiB of the chips: orange can be read by anyone who taps the wires, grey is noise, since it was ' +
      'never written. The panel Bytes has the text that the loader left for Linux, its command line. Click a tile to see others.',
    view: 'at=loader&panel=memory&place=command%20line&map=0x0%2B0x2000000',
    look: 'map',
  },
  {
    title: 'The readable kernel',
    text:
      'Here is the beginning of the kernel, read in two ways. The first row, "DRAM, C=0", is what is on the wires, and what ' +
      'a processor gets that does not decrypt. The second, "C=1", is what it gets if it decrypts: nonsense, as nothing is ' +
      'encrypted yet. Machine code looks like noise to us either way, so remember the first row: it begins with 8f 39 c4.',
    view: `at=startup_64&panel=memory&place=kernel%20text&${KERNEL}`,
    look: 'panel',
  },
  {
    title: 'The kernel encrypts itself',
    text:
      'In this step the kernel reads itself without decryption and writes itself back with encryption, at the same place. The ' +
      'tiles turn blue: the chips hold ciphertext now. Press ‹ and then › above the slider to see the tiles and ' +
      'bytes before and after. (Lines in red are flaws; we come to them.)',
    view: `at=startup_64%3Aphys_base&panel=memory&place=kernel%20text&${KERNEL}`,
    look: 'map',
  },
  {
    title: 'The C-bit',
    text:
      'How does a processor know what to decrypt? Programs use addresses that tables translate, and each entry of a table ' +
      'has a bit that says so: the C-bit, bit 47 of this processor. Where it is 1, what is written is encrypted, and what is ' +
      'read is decrypted. The panel goes through the tables for the first byte of the kernel: the column C is 1 in each entry.',
    view: `at=startup_64%3Aswitch&panel=walk&place=_text&${KERNEL}`,
    look: 'panel',
  },
  {
    title: 'Reading it the right way',
    text:
      'In this step the kernel goes over to tables that have C=1 everywhere. Its own bytes, read with C=1, are what they ' +
      'were at the beginning, 8f 39 c4. On the wires, and with C=0, they are noise.',
    view: `at=startup_64%3Aswitch&panel=memory&place=kernel%20text&${KERNEL}`,
    look: 'panel',
  },
  {
    title: 'What others wrote',
    text:
      'The initial RAM disk was put into memory by the boot loader, as plain bytes. A kernel that reads it with C=1 would ' +
      'get nonsense. This step encrypts it where it lies: read with C=1, it begins with the text 070701, as the loader wrote ' +
      'it. Tiles at its end that are orange still: their ciphertext is in the cache, and not yet in the chips.',
    view: `at=reserve_initrd&panel=memory&place=initrd&${INITRD}`,
    look: 'map',
  },
  {
    title: 'Devices, and what is left',
    text:
      'Devices read memory without the C-bit, so what they share with the kernel has to stay plain: the largest part of what ' +
      'is in the clear now are buffers for them. The panel lists all of it, with who wrote it and why it is in the clear; some ' +
      'was left there by firmware and loader, and some should not be there.',
    view: 'at=drivers&panel=exposure&layer=exposure&map=0x0%2B0x400000000',
    look: 'panel',
  },
  {
    title: 'What went wrong',
    text:
      'The patches, as they were posted, have flaws. The sanitizer, a checker in this machine, watches every access and ' +
      'reports what is wrong with it, such as a read with another C-bit than the bytes were written with. Each red mark below ' +
      'the slider is a step with reports; the panel has all of them.',
    view: 'panel=reports',
    look: 'panel',
  },
  {
    title: 'Take a piece away',
    text:
      'A hunk is a piece of a patch. The one that encrypts the RAM disk, the box 09/initrd, is unticked now. The boot runs ' +
      'again, which takes some seconds, and ends in a panic: the kernel reads nonsense and finds no root file system. Then the ' +
      'panel compares it with the boot before.',
    view: 'without=09%2Finitrd&panel=difference',
    look: 'panel',
  },
  {
    title: 'Your turn',
    text:
      'Now the patches 9 to 17 are missing, and the panel has what was read wrongly. Go on: turn the slider of patches, tick ' +
      'and untick hunks, choose another scenario, which is another machine, or drop the file of a Linux kernel on the page. The ' +
      'address of this page always has what you see: a link to it opens the same view in the same file.',
    view: 'stage=8&activate=1&panel=reads',
    look: 'change',
  },
];
