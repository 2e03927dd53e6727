/** `sme-boot completion SHELL`: the shells' completion scripts, and the hidden command that they call. */
import { Argument, Command } from 'commander';
import { quoted, splitWords } from '../base/shell-words.js';
import { complete, completionText } from './complete.js';
import { exitHelp } from './exit-codes.js';
import type { Io } from './io.js';
import { addOutput, writeResult, type OutputFlags } from './output.js';

/** The command that the scripts call. */
export const COMPLETE = '__complete';

// Bash (manual, 8.6): the words of COMP_WORDS are split at = and : too, so the line itself is handed over.
const BASH = `# Completion of sme-boot for bash: source it, or put it into
# \${XDG_DATA_HOME:-~/.local/share}/bash-completion/completions/sme-boot
_sme_boot() {
  local line tool=\${COMP_WORDS[0]}
  local -a lines
  COMPREPLY=()
  mapfile -t lines < <("\${tool/#~\\//$HOME/}" ${COMPLETE} --breaks "$COMP_WORDBREAKS" \\
    --line "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  for line in "\${lines[@]}"; do
    case $line in
      :*open*) compopt -o nospace ;;&
      :*files*) compopt -o default ;;&
      :*) ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done
}
complete -F _sme_boot sme-boot
`;

const ZSH = `#compdef sme-boot
# Completion of sme-boot for zsh: put it into a folder of $fpath as _sme-boot, or source it after compinit.
_sme_boot() {
  local -a lines values shown suffix
  local line more
  lines=("\${(@f)$("\${(Q)words[1]}" ${COMPLETE} -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  more=\${lines[-1]}
  lines[-1]=()
  for line in "\${lines[@]}"; do
    values+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  [[ $more == *open* ]] && suffix=(-S '')
  (( $#values )) && compadd $suffix -l -d shown -- "\${values[@]}"
  [[ $more == *files* ]] && _files
}
if [[ $funcstack[1] == _sme-boot ]]; then
  _sme_boot "$@"
else
  compdef _sme_boot sme-boot
fi
`;

const FISH = `# Completion of sme-boot for fish: put it into ~/.config/fish/completions/sme-boot.fish
function __sme_boot_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($before[1] ${COMPLETE} -- $before[2..] "$current" 2>/dev/null)
    for line in $lines
        string match -q -- ':*' $line; or echo $line
    end
    if string match -q -- ':*files*' $lines[-1]
        __fish_complete_path "$current"
    end
end
complete -c sme-boot -f -a '(__sme_boot_complete)'
`;

const SCRIPTS = new Map([
  ['bash', BASH],
  ['zsh', ZSH],
  ['fish', FISH],
]);

const EXAMPLES = `
Examples:
  source <(sme-boot completion bash)           for this shell
  sme-boot completion bash -o ~/.local/share/bash-completion/completions/sme-boot
  sme-boot completion zsh -o ~/.zfunc/_sme-boot
  sme-boot completion fish -o ~/.config/fish/completions/sme-boot.fish
${exitHelp()}`;

export function completionCommand(io: Io): Command {
  const command = new Command('completion')
    .description('print the script that completes command lines, for a shell')
    .addArgument(new Argument('<SHELL>', 'the shell').choices([...SCRIPTS.keys()]))
    .addHelpText('after', EXAMPLES)
    .action((shell: string, { output }: OutputFlags) => {
      writeResult(io, output, SCRIPTS.get(shell) ?? '');
    });
  return addOutput(command, { formats: ['text'], what: 'the script' });
}

interface CompleteFlags {
  line?: string;
  breaks: string;
}

/**
 * The hidden command: completes the last of its words and prints a line for each completion, after a tab what it is; the last
 * line begins with a colon and has the words \`files\` (the shell completes file names too) and \`open\` (no space after it).
 * With \`--line\` the words are split from a line, and the completions are what bash puts into COMPREPLY.
 */
export function completeCommand(top: Command, io: Io): Command {
  return new Command(COMPLETE)
    .argument('[WORDS...]')
    .option('--line <TEXT>')
    .option('--breaks <CHARACTERS>', '', '')
    .action((given: string[], { line, breaks }: CompleteFlags) => {
      if (line === undefined) {
        io.stdout.write(completionText(complete(top, given)));
        return;
      }
      const { words, open, inWord } = splitWords(line);
      const all = inWord ? words.slice(1) : [...words.slice(1), ''];
      io.stdout.write(completionText(forBash(complete(top, all), all.at(-1) ?? '', open, breaks)));
    });
}

/** Completions as bash wants them: without what is before the last word break, quoted unless a quote is open. */
function forBash(
  completion: ReturnType<typeof complete>,
  word: string,
  open: string,
  breaks: string,
): ReturnType<typeof complete> {
  const cut =
    open === ''
      ? Math.max(
          ...[...':='].map((each) => (breaks.includes(each) ? word.lastIndexOf(each) : -1)),
        ) + 1
      : 0;
  const candidates = completion.candidates.map(({ value }) => {
    const rest = value.slice(cut);
    return { value: open === '' ? quoted(rest) : rest };
  });
  return { ...completion, candidates };
}
