export function sampledFiles(): string[];
export function random(seed: number): () => number;
export function draw<T>(items: readonly T[], count: number, seed: number): T[];
export function wilson(hits: number, count: number): number[];
