/** The guided tour: ten views of the default boot, for a reader who knows nothing of memory encryption. */
import type { TourStep } from './page/data.js';

export const TOUR: readonly TourStep[] = [];
