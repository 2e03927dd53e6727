/** The worker of the viewer: answers one question after the other. Bundled into the page by scripts/viewer.mjs. */
import './jitless.js';
import type { Question } from '../messages.js';
import { Viewer } from '../viewer.js';

const viewer = new Viewer();

self.onmessage = ({ data }: MessageEvent<Question>): void => {
  self.postMessage(viewer.answer(data));
};
