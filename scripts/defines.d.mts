export declare const CONSTANTS: Readonly<Record<string, string>>;
export declare const DEFINES: Record<string, string>;
