import { InputError } from '../base/errors.js';
import { buildBuiltInImage } from '../firmware/image/built-in.js';
import type { KernelImage } from '../firmware/image/kernel-image.js';
import { BASE_VARIABLES } from '../linux/index.js';
import type { BootOptions } from './boot.js';

/** The image of a boot: the given one, or the built-in one in the scenario's size. Throws E_KERNEL_SIZE. */
export function imageOf(
  { image, scenario, digest }: BootOptions,
  functions: readonly string[],
): KernelImage {
  const size = scenario.kernel?.size;
  if (image !== undefined && image.kind !== 'built-in' && size !== undefined) {
    throw new InputError({
      code: 'E_KERNEL_SIZE',
      place: { path: 'kernel.size' },
      reason: 'an image in a file has its own size',
      expected: 'the built-in image',
      found: image.file,
    });
  }
  if (image !== undefined && size === undefined) return image;
  return buildBuiltInImage(functions, BASE_VARIABLES, digest, size);
}
