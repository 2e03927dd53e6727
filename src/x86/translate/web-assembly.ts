/** What is used of WebAssembly's JavaScript interface; null where there is none. */
import { ownOf } from '../../base/own.js';

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
export interface WasmTable {
  readonly length: number;
  grow(by: number): number;
  set(index: number, value: unknown): void;
}
type Imports = Record<string, Record<string, unknown>>;

interface WebAssemblyApi {
  readonly Memory: new (of: { initial: number; maximum: number }) => WasmMemory;
  readonly Table: new (of: { element: 'anyfunc'; initial: number }) => WasmTable;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Imports,
  ) => { readonly exports: Record<string, (...values: number[]) => number> };
  readonly CompileError: new () => Error;
}

export const webAssembly = (ownOf(globalThis, 'WebAssembly') as WebAssemblyApi | undefined) ?? null;
