/**
 * What a command is, and how its result reaches the world: one JSON object or text on stdout, everything else on stderr,
 * and the exit code. Commands compute; only this file prints.
 */
import { type Command, Option } from 'commander'
import { DyadicError } from '../error.ts'
import { applyConfiguration, commandsOf, readConfiguration, resolvedOptions, resolvedTable } from './configuration.ts'
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts'
import { addOptions, COMMON_OPTIONS, type OptionName, type OptionValues } from './options.ts'
import { type Host, openSession, type Session } from './session.ts'

export interface CommandResult {
  /** Fields of the object that `--json` prints, besides `schema`, `command` and `error`. */
  readonly json: Readonly<Record<string, unknown>>
  /** What people read; ends in a newline, or is empty. */
  readonly text: string
  /** A result that is not good: a gate, a failed check, an unsupported model. It decides the exit code. */
  readonly error?: DyadicError
}

export interface CommandRequest<Name extends OptionName> {
  /** The command's one positional argument. */
  readonly argument: string
  readonly options: OptionValues<Name>
  /** Whether the user wrote the option, as opposed to its default. */
  readonly isGiven: (name: Name) => boolean
  readonly session: Session
}

export interface CommandDescription<Name extends OptionName> {
  /** `formats`, or `formats compare` for a command below another. */
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** A paragraph for the command's own help. */
  readonly description: string
  /** A name in brackets, `[name]`, may be left out; the argument is then empty. No name, no argument. */
  readonly argument: readonly [name: string, help: string]
  readonly options: readonly Name[]
  /** What an option means here, where its general description is not enough. */
  readonly meanings?: Readonly<Partial<Record<Name, string>>>
  readonly examples: readonly string[]
  /** Throws {@link DyadicError}; anything else is an error of dyadic itself. */
  run(request: CommandRequest<Name>): Promise<CommandResult>
}

/** Version of the objects that `--json` prints. */
const SCHEMA = 1

const INTERRUPTED = new Error('interrupted; no result was written')

/** The text of an error for people. */
export function describeError(error: unknown, debug: boolean): string {
  if (debug && error instanceof Error && error.stack) return `${error.stack}\n`
  if (error instanceof DyadicError) return `error: ${error.message}\n`
  const message = error instanceof Error ? error.message : String(error)
  return `error: dyadic failed where it should not: ${message}\nSet DYADIC_DEBUG=1 to see where, and please report it.\n`
}

/** The object that `--json` prints for an error. */
export function errorObject(command: string | undefined, error: unknown): string {
  const code = error instanceof DyadicError ? error.code : error === INTERRUPTED ? 'interrupted' : 'internal'
  const message = error instanceof Error ? error.message : String(error)
  return `${JSON.stringify({ schema: SCHEMA, ...(command !== undefined && { command }), error: { code, message } })}\n`
}

/** Adds a command and returns it, for commands below it; `finish` is told the exit code. */
export function addCommand<Name extends OptionName>(
  program: Command,
  description: CommandDescription<Name>,
  host: Host,
  finish: (code: ExitCode) => void,
): Command {
  const [argument, help] = description.argument
  const command = program
    .command(description.name.split(' ').at(-1) as string)
    .summary(description.summary)
    .description(description.description)
    // Options after the name of a command below belong to that command.
    .enablePositionalOptions()
    .addHelpOption(new Option('-h, --help', 'say what this command does').helpGroup('Output:'))
    .addHelpText('after', `\nExamples:\n${description.examples.map((example) => `  $ dyadic ${example}\n`).join('')}`)
  if (argument !== '') command.argument(argument.startsWith('[') ? argument : `<${argument}>`, help)
  addOptions(command, [...description.options, ...COMMON_OPTIONS], description.meanings)
  command.action(async (...received: unknown[]) => {
    const given = argument === '' ? undefined : (received[0] as string | undefined)
    const isGiven = (name: OptionName): boolean => command.getOptionValueSource(name) === 'cli'
    try {
      const configuration = await readConfiguration(command.getOptionValue('config'), host.folder)
      const names = [...commandsOf(command).keys()]
      applyConfiguration(command, description.name, names, configuration, host.environment)
    } catch (error) {
      if (command.getOptionValue('json')) host.writeOut(errorObject(description.name, error))
      host.writeError(describeError(error, host.debug))
      finish(exitCodeOf(error))
      return
    }
    const options: OptionValues<Name | 'json' | 'quiet'> = command.opts()
    if (command.getOptionValue('printConfig')) {
      const resolved = resolvedOptions(command)
      const object = { schema: SCHEMA, command: description.name, options: resolved }
      host.writeOut(options.json ? `${JSON.stringify(object)}\n` : resolvedTable(resolved))
      finish(EXIT.done)
      return
    }
    finish(await execute(description, { argument: given ?? '', options, isGiven }, host))
  })
  return command
}

async function execute<Name extends OptionName>(
  description: CommandDescription<Name>,
  request: Omit<CommandRequest<Name>, 'session'>,
  host: Host,
): Promise<ExitCode> {
  const { json, quiet } = request.options as OptionValues<'json' | 'quiet'>
  const session = openSession(host, quiet ?? false)
  try {
    const result = await description.run({ ...request, session })
    session.progress.end()
    if (json)
      host.writeOut(
        `${JSON.stringify({
          schema: SCHEMA,
          command: description.name,
          ...result.json,
          ...(result.error && { error: { code: result.error.code, message: result.error.message } }),
        })}\n`,
      )
    else host.writeOut(result.text)
    if (result.error === undefined) return EXIT.done
    host.writeError(describeError(result.error, host.debug))
    return exitCodeOf(result.error)
  } catch (error) {
    session.progress.end()
    if (session.signal.aborted) {
      if (json) host.writeOut(errorObject(description.name, INTERRUPTED))
      host.writeError(`${INTERRUPTED.message}\n`)
      return EXIT.interrupted
    }
    if (json) host.writeOut(errorObject(description.name, error))
    host.writeError(describeError(error, host.debug))
    return exitCodeOf(error)
  } finally {
    session.close()
  }
}
