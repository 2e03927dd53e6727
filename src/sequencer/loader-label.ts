/** The label of the step before the kernel: firmware and loader. */
export const LOADER_LABEL = 'loader';
