/** What the command of a bench is given. Its file begins with a comment that says how it is used, and that is its help. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** The comment at the head of a file as text. @param {string | URL} file */
export function helpOf(file) {
  const [, comment = ''] = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(readFileSync(new URL(file), 'utf8')) ?? []
  return comment
    .split('\n')
    .map((line) => line.replace(/^ \* ?/, ''))
    .join('\n')
}

/** Says what is wrong with an option; the process will end with code 2. Throws every other error on. @param {unknown} error */
export function refuseOption(error) {
  if (!String(/** @type {{ code?: string }} */ (error)?.code).startsWith('ERR_PARSE_ARGS')) throw error
  process.stderr.write(`${/** @type {Error} */ (error).message}\nTry --help.\n`)
  process.exitCode = 2
}

/**
 * As `parseArgs`, with --help: prints the comment of the file and ends.
 * @template {import('node:util').ParseArgsConfig} Config @param {string | URL} file @param {Config} config
 * @returns {ReturnType<typeof parseArgs<Config>>}
 */
export function readCommandLine(file, config) {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(`${helpOf(file)}\n`)
    process.exit(0)
  }
  try {
    return parseArgs(config)
  } catch (error) {
    refuseOption(error)
    process.exit()
  }
}
