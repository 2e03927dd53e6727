/** Compiles a snippet as a file of src/, with the project's settings, and returns the diagnostics. */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** One error of the compiler. */
export interface Diagnostic {
  /** The number after TS. */
  readonly code: number;
  /** The message, with its details on a line each. */
  readonly message: string;
  /** The file, relative to the project's root: `src/trace/snippet.ts`. */
  readonly file: string | undefined;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CONFIG = `${ROOT}tsconfig.json`;

function refuse(diagnostic: ts.Diagnostic): never {
  throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
}

/** The project's options and the files of its src/. */
function project(): { options: ts.CompilerOptions; files: string[] } {
  const parsed = ts.getParsedCommandLineOfConfigFile(CONFIG, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: refuse,
  });
  const [wrong] = parsed?.errors ?? [];
  if (wrong !== undefined) refuse(wrong);
  if (parsed === undefined) throw new Error(`no ${CONFIG}`);
  return {
    options: parsed.options,
    files: parsed.fileNames.filter((file) => file.startsWith(`${ROOT}src/`)),
  };
}

/**
 * Compiles snippets one after the other. Each is in a separate program, since it may add to the interfaces of other
 * files (`declare module`); all programs share the parsed files, so that only the first takes seconds.
 */
export class Compiler {
  private readonly project = project();
  private readonly parsed = new Map<string, ts.SourceFile | undefined>();
  private last: ts.Program | undefined;

  /**
   * The errors in a file `path` (`src/trace/snippet.ts`) that contains `text`, in the order of the file; it replaces a file
   * of src/ with that path. All of src/ is in the program, but only that file is checked, and the files in `also`, for
   * errors that a snippet causes in other files.
   */
  compile(path: string, text: string, also: readonly string[] = []): Diagnostic[] {
    const { options, files } = this.project;
    const name = `${ROOT}${path}`;
    const program = ts.createProgram({
      rootNames: files.includes(name) ? files : [...files, name],
      options,
      host: this.host(name, text),
      ...(this.last !== undefined && { oldProgram: this.last }),
    });
    this.last = program;
    return [path, ...also].flatMap((each) => {
      const file = program.getSourceFile(`${ROOT}${each}`);
      if (file === undefined) throw new Error(`no ${each}`);
      const found = [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
      ];
      return found.map((diagnostic) => ({
        code: diagnostic.code,
        message: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
        file: diagnostic.file?.fileName.slice(ROOT.length),
      }));
    });
  }

  /** A compiler host with the files on disk and the snippet. */
  private host(name: string, text: string): ts.CompilerHost {
    const disk = ts.createCompilerHost(this.project.options);
    return {
      ...disk,
      fileExists: (file) => file === name || disk.fileExists(file),
      readFile: (file) => (file === name ? text : disk.readFile(file)),
      getSourceFile: (file, language) => {
        if (file === name) return ts.createSourceFile(file, text, language);
        if (!this.parsed.has(file)) this.parsed.set(file, disk.getSourceFile(file, language));
        return this.parsed.get(file);
      },
    };
  }
}
