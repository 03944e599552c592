/**
 * Options from elsewhere than the command line: environment variables `DYADIC_…` and a configuration file. A flag wins over
 * the environment, that over the file, that over the default. The file has the options of all commands under `all`, those of
 * one under its name; values are what one would write behind the flag, and are checked by the same parsers.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Command, InvalidArgumentError, type Option } from 'commander'
import * as z from 'zod'
import { nodeFiles } from '../data/node-files.ts'
import { parseStrictJson } from '../data/strict-json.ts'
import { DyadicError, quoted } from '../error.ts'
import { table } from './format.ts'

/** Looked for in the working folder, in this order, where `--config` names none. */
export const CONFIGURATION_FILES = ['dyadic.config.json', 'dyadic.config.mjs', 'dyadic.config.ts'] as const
const LARGEST_FILE = 2 ** 20

const scalar = z.union([z.string(), z.number(), z.boolean()])
const optionValue = z.union([scalar, z.array(scalar), z.record(z.string(), scalar)])
const fileSchema = z.record(z.string(), z.union([z.string(), z.record(z.string(), optionValue)]))
type OptionValue = z.infer<typeof optionValue>
export type Configuration = Readonly<Record<string, string | Readonly<Record<string, OptionValue>>>>

/** Options that say where options come from; they come from the command line alone. */
const OWN = new Set(['config', 'printConfig'])

/** All commands of the program that a command belongs to, by name as written on the command line. */
export function commandsOf(command: Command): Map<string, Command> {
  let program = command
  while (program.parent !== null) program = program.parent
  const found = new Map<string, Command>()
  const add = (above: Command, prefix: string): void => {
    for (const below of above.commands) {
      found.set(`${prefix}${below.name()}`, below)
      add(below, `${prefix}${below.name()} `)
    }
  }
  add(program, '')
  return found
}

/** A configuration file by name, or the first there is in the folder; undefined where there is none. Throws `usage`. */
export async function readConfiguration(
  named: string | undefined,
  folder: string,
): Promise<{ path: string; content: Configuration } | undefined> {
  if (named === 'none') return undefined
  const path = named ?? CONFIGURATION_FILES.find((name) => existsSync(resolve(folder, name)))
  if (path === undefined) return undefined
  const content = await readObject(path, folder)
  refusePrototypes(path, content)
  const { success, data, error } = fileSchema.safeParse(content)
  if (success) return { path, content: data }
  const [issue] = error.issues
  throw new DyadicError(
    'usage',
    `${quoted(path)}: ${quoted(issue.path.join('.') || 'the file')} is not what a configuration has there: commands by name, each with options and their values`,
  )
}

/** The schema would pass over such a key in silence: sections, their options and records of values are three levels. */
function refusePrototypes(path: string, content: unknown, place: readonly string[] = []): void {
  if (typeof content !== 'object' || content === null || place.length > 2) return
  if (Object.hasOwn(content, '__proto__'))
    throw new DyadicError(
      'usage',
      `${quoted(path)}: ${quoted(place.join('.') || 'the file')} has the key "__proto__", which names no command, option or value`,
    )
  for (const [key, part] of Object.entries(content)) refusePrototypes(path, part, [...place, key])
}

async function readObject(path: string, folder: string): Promise<unknown> {
  const file = resolve(folder, path)
  if (!existsSync(file)) throw new DyadicError('usage', `--config ${quoted(path)}: there is no such file`)
  try {
    if (/\.[cm]?[jt]s$/.test(path)) return (await import(pathToFileURL(file).href)).default
    return parseStrictJson(await nodeFiles.read(file, LARGEST_FILE), 'the file')
  } catch (cause) {
    const typescript = /\.[cm]?ts$/.test(path) ? '; this Node may not load TypeScript: write .mjs or .json' : ''
    throw new DyadicError(
      'usage',
      `${quoted(path)} cannot be read as a configuration: ${cause instanceof Error ? cause.message : cause}${typescript}`,
      { cause },
    )
  }
}

/** The environment variable of an option: `maxBytes` is `DYADIC_MAX_BYTES`. */
export function variableOf(option: string): string {
  return `DYADIC_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/**
 * Fills in what the command line leaves open. `name` is the command's, `formats compare` as written there. Throws `usage` for
 * a section that is no command of `commands`, an option that the command does not have, and a value that its flag would not take.
 */
export function applyConfiguration(
  command: Command,
  name: string,
  commands: readonly string[],
  configuration: { readonly path: string; readonly content: Configuration } | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const options = new Map(command.options.map((option) => [option.attributeName(), option]))
  if (configuration !== undefined) {
    const { path, content } = configuration
    for (const section of Object.keys(content))
      if (section !== '$schema' && section !== 'all' && !commands.includes(section))
        throw new DyadicError(
          'usage',
          `${quoted(path)}: there is no command ${quoted(section)}; there are all, ${commands.join(', ')}`,
        )
    for (const section of ['all', name])
      for (const [key, value] of Object.entries((content[section] ?? {}) as Record<string, OptionValue>)) {
        const option = OWN.has(key) ? undefined : options.get(key)
        // What stands under `all` is for those commands that have it.
        if (option === undefined && section === 'all') continue
        if (option === undefined)
          throw new DyadicError(
            'usage',
            `${quoted(path)}: ${quoted(name)} has no option ${quoted(key)}; it has ${[...options.keys()].join(', ')}`,
          )
        if (command.getOptionValueSource(key) !== 'cli') setOption(command, option, value, 'config', quoted(path))
      }
  }
  for (const [key, option] of options) {
    const text = environment[variableOf(key)]
    if (text === undefined || OWN.has(key) || command.getOptionValueSource(key) === 'cli') continue
    const value = option.isBoolean() ? !['', '0', 'false'].includes(text) : text
    setOption(command, option, value, 'env', variableOf(key))
  }
}

function setOption(command: Command, option: Option, value: OptionValue, source: string, where: string): void {
  const key = option.attributeName()
  if (option.isBoolean()) {
    if (typeof value !== 'boolean')
      throw new DyadicError('usage', `${where}: ${quoted(key)} is true or false, not ${quoted(JSON.stringify(value))}`)
    command.setOptionValueWithSource(key, value || undefined, source)
    return
  }
  const parse = option.parseArg as ((text: string, previous: unknown) => unknown) | undefined
  const words = wordsOf(value)
  // A parser that looks at what came before takes its values one by one; another takes a list with commas.
  const texts = (parse?.length ?? 1) > 1 ? words : [words.join(',')]
  let parsed: unknown
  for (const text of texts)
    try {
      parsed = parse === undefined ? text : parse(text, parsed)
    } catch (cause) {
      if (!(cause instanceof InvalidArgumentError)) throw cause
      throw new DyadicError('usage', `${where}: ${quoted(key)} cannot be ${quoted(text)}. ${cause.message}`, { cause })
    }
  command.setOptionValueWithSource(key, parsed, source)
}

/** Values as they would stand behind the flag: lists one by one, records as name=value. */
function wordsOf(value: OptionValue): string[] {
  if (Array.isArray(value)) return value.map(String)
  if (typeof value === 'object') return Object.entries(value).map(([name, part]) => `${name}=${part}`)
  return [String(value)]
}

const SOURCES: Readonly<Record<string, string>> = {
  cli: 'command line',
  env: 'environment',
  config: 'configuration file',
  default: 'default',
}

export interface ResolvedOption {
  readonly option: string
  readonly value: unknown
  readonly source: string
}

/** Every option of a command that has a value, and where that comes from. */
export function resolvedOptions(command: Command): ResolvedOption[] {
  return command.options
    .map((option) => option.attributeName())
    .filter((key) => !OWN.has(key) && command.getOptionValue(key) !== undefined)
    .map((key) => ({
      option: key,
      value: command.getOptionValue(key),
      source: SOURCES[command.getOptionValueSource(key) ?? ''] ?? 'default',
    }))
}

/** The same as a table for people. */
export function resolvedTable(options: readonly ResolvedOption[]): string {
  const text = (value: unknown): string => (typeof value === 'string' ? quoted(value) : JSON.stringify(value))
  return table(
    ['option', 'value', 'from'],
    options.map(({ option, value, source }) => [option, text(value), source]),
  )
}

/** The JSON Schema of configuration files for these commands, by name. */
export function configurationSchema(commands: ReadonlyMap<string, Command>): object {
  const value = (option: Option): object => {
    const text = { type: ['string', 'number'] }
    if (option.isBoolean()) return { type: 'boolean', description: option.description }
    const one = option.argChoices ? { enum: option.argChoices } : text
    const list = { type: 'array', items: text }
    const record = { type: 'object', additionalProperties: text }
    return { description: option.description, ...(option.argChoices ? one : { anyOf: [one, list, record] }) }
  }
  const optionsOf = (command: Command): [string, object][] =>
    command.options
      .filter((option) => !OWN.has(option.attributeName()))
      .map((option) => [option.attributeName(), value(option)])
  const section = (description: string, properties: Iterable<[string, object]>): object => ({
    type: 'object',
    description,
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  })
  const everything = new Map([...commands.values()].flatMap(optionsOf))
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'dyadic.config.json',
    description: 'Options of the command dyadic by command. Flags and environment variables win over them.',
    type: 'object',
    properties: {
      $schema: { type: 'string' },
      all: section('options of all commands that have them', everything),
      ...Object.fromEntries(
        [...commands].map(([name, command]) => [name, section(command.summary(), optionsOf(command))]),
      ),
    },
    additionalProperties: false,
  }
}
