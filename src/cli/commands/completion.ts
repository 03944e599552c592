/** `dyadic completion` and `dyadic config-schema`: what shells and editors want to know about the commands. */
import type { Command } from 'commander'
import type { CommandDescription } from '../command.ts'
import { completionScript, shells } from '../completion.ts'
import { commandsOf, configurationSchema } from '../configuration.ts'

/** Prints the completion script of a shell. */
export const completionCommand = (program: Command): CommandDescription<never> => ({
  name: 'completion',
  summary: 'print a completion script for a shell',
  description:
    'Prints a script that completes commands, options and their values; evaluate it where the shell starts. It is made from ' +
    'the commands of this version.',
  argument: ['shell', shells.join(', ')],
  options: [],
  examples: ['completion bash >> ~/.bashrc', 'completion fish | source'],
  async run({ argument }) {
    const script = completionScript(argument, commandsOf(program))
    return { json: { shell: argument, script }, text: script }
  },
})

/** Prints the JSON Schema of configuration files. */
export const configSchemaCommand = (program: Command): CommandDescription<never> => ({
  name: 'config-schema',
  summary: 'print the JSON Schema of dyadic.config.json',
  description:
    'Prints the JSON Schema of configuration files. An editor that knows it completes and checks them: name the file in ' +
    '"$schema". A configuration has the options of all commands under "all" and those of one under its name.',
  argument: ['', ''],
  options: [],
  examples: ['config-schema > dyadic.config.schema.json'],
  async run() {
    const schema = configurationSchema(commandsOf(program))
    return { json: { configuration: schema }, text: `${JSON.stringify(schema, null, 2)}\n` }
  },
})
