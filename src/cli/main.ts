#!/usr/bin/env node
/**
 * The command `dyadic`: the only file that touches the process. Builds the commands, and turns what the parser throws
 * into exit codes.
 */
import { Command, CommanderError } from 'commander'
import { DyadicError } from '../error.ts'
import { VERSION } from '../version.ts'
import { addCommand, describeError, errorObject } from './command.ts'
import { benchCommand } from './commands/bench.ts'
import { compareCommand } from './commands/compare.ts'
import { compileCommand } from './commands/compile.ts'
import { completionCommand, configSchemaCommand } from './commands/completion.ts'
import { costCommand } from './commands/cost.ts'
import { evalCommand } from './commands/eval.ts'
import { exportCommand } from './commands/export.ts'
import { formatsCommand, formatsCompareCommand } from './commands/formats.ts'
import { inspectCommand } from './commands/inspect.ts'
import { quantizeCommand } from './commands/quantize.ts'
import { runCommand } from './commands/run.ts'
import { searchCommand } from './commands/search.ts'
import { studyCommand } from './commands/study.ts'
import { verifyCommand } from './commands/verify.ts'
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.ts'
import type { Host } from './session.ts'

const { argv, env, stdout, stderr } = process

let onInterrupt: (() => void) | undefined
const host: Host = {
  writeOut: (text) => void stdout.write(text),
  writeError: (text) => void stderr.write(text),
  isTerminal: stderr.isTTY === true && !env.CI && env.TERM !== 'dumb',
  columns: stderr.columns || 80,
  clock: () => performance.now(),
  onInterrupt(action) {
    if (onInterrupt) process.removeListener('SIGINT', onInterrupt)
    onInterrupt = action
    if (action) process.on('SIGINT', action)
  },
  folder: process.cwd(),
  environment: env,
  debug: Boolean(env.DYADIC_DEBUG) && env.DYADIC_DEBUG !== '0',
}

// A reader that closes early, such as `head`, is no error. Results are printed last; notes that nobody reads stop nothing.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.done)
})
stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const finish = (code: ExitCode): void => {
  process.exitCode = code
}

const program = new Command('dyadic')
  .description('Neural networks without floating point: from an ONNX file to one integer-only WebAssembly module.')
  .version(VERSION, '--version', 'print the version')
  .helpOption('-h, --help', 'say what a command does')
  .helpCommand(false)
  // What comes after the name of a command belongs to it, as far as `formats compare`.
  .enablePositionalOptions()
  .exitOverride()
  .showHelpAfterError('Try --help.')
  .configureOutput({ writeOut: host.writeOut, writeErr: host.writeError })
  .addHelpText(
    'after',
    `\n${EXIT_HELP}\n\nExamples:\n` +
      '  $ dyadic inspect model.onnx\n' +
      '  $ dyadic compile model.onnx --calibrate samples/ -o model.wasm\n' +
      '  $ dyadic verify model.wasm\n' +
      '  $ dyadic compile --help\n',
  )
program.commandsGroup('Get to know a network:')
addCommand(program, inspectCommand, host, finish)
addCommand(program, costCommand, host, finish)
program.commandsGroup('Make a program of it:')
addCommand(program, quantizeCommand, host, finish)
addCommand(program, compileCommand, host, finish)
addCommand(program, exportCommand, host, finish)
program.commandsGroup('Use the program:')
addCommand(program, runCommand, host, finish)
addCommand(program, evalCommand, host, finish)
addCommand(program, benchCommand, host, finish)
program.commandsGroup('Trust it, and repair what it loses:')
addCommand(program, verifyCommand, host, finish)
addCommand(program, compareCommand, host, finish)
program.commandsGroup('Find cheaper numbers:')
addCommand(program, searchCommand, host, finish)
addCommand(program, studyCommand, host, finish)
addCommand(addCommand(program, formatsCommand, host, finish), formatsCompareCommand, host, finish)
program.commandsGroup('For the shell and the editor:')
addCommand(program, completionCommand(program), host, finish)
addCommand(program, configSchemaCommand(program), host, finish)

try {
  await program.parseAsync(argv)
} catch (error) {
  // The parser has said on stderr what is wrong.
  const parserMessage = error instanceof CommanderError ? error.message.replace(/^error: /, '') : undefined
  if (error instanceof CommanderError && error.exitCode === 0) finish(EXIT.done)
  else {
    if (argv.includes('--json'))
      host.writeOut(
        errorObject(undefined, parserMessage === undefined ? error : new DyadicError('usage', parserMessage)),
      )
    if (parserMessage === undefined) host.writeError(describeError(error, host.debug))
    finish(parserMessage === undefined ? EXIT.failed : EXIT.usage)
  }
}
