/**
 * Completion scripts for shells: commands, their options, the values of options that have few, files everywhere else. Made
 * from the commands as they are defined, so that they cannot differ from what the parser takes.
 */
import type { Command } from 'commander'
import { DyadicError, quoted } from '../error.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

interface Completable {
  readonly name: string
  readonly summary: string
  readonly options: readonly { readonly flag: string; readonly help: string; readonly choices?: readonly string[] }[]
}

function completables(commands: ReadonlyMap<string, Command>): Completable[] {
  return [...commands].map(([name, command]) => ({
    name,
    summary: command.summary(),
    options: command.options.map(({ long, description, argChoices }) => ({
      flag: long as string,
      help: description,
      ...(argChoices && { choices: argChoices }),
    })),
  }))
}

/** Single-quoted for a POSIX shell or fish. */
const shellQuoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`
const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`

/** The script for a shell. Throws `usage` for one that is not known. */
export function completionScript(shell: string, commands: ReadonlyMap<string, Command>): string {
  const list = completables(commands)
  if (shell === 'bash') return bash(list)
  if (shell === 'zsh') return zsh(list)
  if (shell === 'fish') return fish(list)
  throw new DyadicError('usage', `there is no completion for ${quoted(shell)}; there is for ${shells.join(', ')}`)
}

/** Cases of the word before the one that is completed: values of an option, by command. */
function valueCases({ options }: Completable, reply: (choices: readonly string[]) => string): string {
  return options
    .filter(({ choices }) => choices !== undefined)
    .map(({ flag, choices }) => `        ${flag}) ${reply(choices as readonly string[])} ;;\n`)
    .join('')
}

function bash(commands: readonly Completable[]): string {
  const words = (list: readonly string[]): string =>
    `COMPREPLY=($(compgen -W ${shellQuoted(list.join(' '))} -- "$word"))`
  const cases = commands
    .filter(({ name }) => !name.includes(' '))
    .map((command) => {
      const below = commands.flatMap(({ name }) => (name.startsWith(`${command.name} `) ? [name.split(' ')[1]] : []))
      const flags = words(command.options.map(({ flag }) => flag))
      return (
        `    ${command.name})\n      case "$previous" in\n${valueCases(command, (choices) => `${words(choices)}; return`)}      esac\n` +
        `      if [[ $word == -* ]]; then ${flags}; else COMPREPLY=($(compgen -f ${below.length > 0 ? `-W ${shellQuoted(below.join(' '))} ` : ''}-- "$word")); fi ;;\n`
      )
    })
    .join('')
  const names = commands.filter(({ name }) => !name.includes(' ')).map(({ name }) => name)
  return (
    '# dyadic completion for bash: eval "$(dyadic completion bash)"\n_dyadic() {\n' +
    '  local word=$2 previous=$3\n' +
    `  if (( COMP_CWORD == 1 )); then ${words([...names, '--help', '--version'])}; return; fi\n` +
    `  case "\${COMP_WORDS[1]}" in\n${cases}  esac\n}\ncomplete -o filenames -F _dyadic dyadic\n`
  )
}

function zsh(commands: readonly Completable[]): string {
  const escaped = (text: string): string => text.replace(/[[\]:\\]/g, (sign) => `\\${sign}`)
  const argument = ({ flag, help, choices }: Completable['options'][number]): string =>
    shellQuoted(`${flag}[${escaped(help)}]${choices ? `:value:(${choices.join(' ')})` : ''}`)
  const top = commands.filter(({ name }) => !name.includes(' '))
  const names = top
    .map(({ name, summary }) => `    ${shellQuoted(`${name}:${summary.replaceAll(':', '\\:')}`)}\n`)
    .join('')
  const cases = top
    .map(({ name, options }) => `    ${name}) _arguments ${options.map(argument).join(' ')} '*:file:_files' ;;\n`)
    .join('')
  return (
    '#compdef dyadic\n# dyadic completion for zsh: eval "$(dyadic completion zsh)"\n_dyadic() {\n' +
    `  local -a commands=(\n${names}  )\n  if (( CURRENT == 2 )); then _describe command commands; return; fi\n` +
    `  local name=$words[2]\n  shift words; (( CURRENT-- ))\n  case $name in\n${cases}  esac\n}\ncompdef _dyadic dyadic\n`
  )
}

function fish(commands: readonly Completable[]): string {
  const top = commands.filter(({ name }) => !name.includes(' '))
  const lines = top.flatMap(({ name, summary, options }) => [
    `complete -c dyadic -n __fish_use_subcommand -a ${name} -d ${fishQuoted(summary)}`,
    ...options.map(
      ({ flag, help, choices }) =>
        `complete -c dyadic -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)} -d ${fishQuoted(help)}` +
        (choices ? ` -xa ${fishQuoted(choices.join(' '))}` : ''),
    ),
  ])
  return `# dyadic completion for fish: dyadic completion fish | source\n${lines.join('\n')}\n`
}
