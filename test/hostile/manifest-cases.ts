/** Manifests of programs and records of measurements that are damaged or contradict themselves. */
import { utf8 } from './sketch.ts'

/** Text of a manifest or record, and words of which its refusal must have one. */
export interface TextCase {
  readonly name: string
  readonly text: Uint8Array
  readonly words: readonly string[]
}

/** What any of our JSON may be, made from an honest text with a key "schema". */
export function jsonCases(honest: string): TextCase[] {
  const made = (name: string, text: string, ...words: string[]): TextCase => ({ name, text: utf8(text), words })
  return [
    made('empty', '', 'JSON'),
    made('null', 'null', 'invalid input'),
    made('cut', honest.slice(0, honest.length / 2), 'JSON'),
    made('twice', honest + honest, 'JSON'),
    { name: 'not UTF-8', text: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), words: ['UTF-8'] },
    made('10^5 lists in each other', '['.repeat(100_000) + ']'.repeat(100_000), 'nested'),
    made('a key twice', honest.replace('{', '{"schema":1,'), '"schema" stands twice'),
    made('a number beyond all', honest.replace(/"schema": ?1/, '"schema":1e999'), 'beyond the range'),
    made('another schema', honest.replace(/"schema": ?1/, '"schema":2'), 'schema'),
  ]
}

/** Cases made from the manifest of a program with one input `x`, four elements or more, and one output `y`. */
export function manifestCases(honest: string): TextCase[] {
  type Ports = { inputs: Record<string, unknown>[]; outputs: Record<string, unknown>[] }
  const edited = (name: string, edit: (manifest: Ports & Record<string, unknown>) => unknown, ...words: string[]) => {
    const copy = JSON.parse(honest) as Ports & Record<string, unknown>
    edit(copy)
    return { name, text: utf8(JSON.stringify(copy)), words }
  }
  const input = (name: string, fields: Record<string, unknown>, ...words: string[]) =>
    edited(name, ({ inputs }) => Object.assign(inputs[0] as object, fields), ...words)
  return [
    ...jsonCases(honest),
    edited('no outputs', (manifest) => Object.assign(manifest, { outputs: undefined }), 'outputs'),
    edited('an input twice', ({ inputs }) => inputs.push(inputs[0] as Record<string, unknown>), '"x" stands twice'),
    edited('no memory', (manifest) => Object.assign(manifest, { memory: { bytes: 0 } }), 'memory'),
    edited(
      'a self-test without end',
      ({ selfTest }) => Object.assign(selfTest as object, { samples: 1e9 }),
      'selfTest',
    ),
    input('an input behind the memory', { offset: 2 ** 40 }, 'port "x" takes bytes 1099511627776'),
    input('an input before the memory', { offset: -1 }, 'inputs.0.offset'),
    input('an input between two words', { format: 's16', offset: 1 }, 'between two elements'),
    input('too many elements', { count: 2 ** 40 }, 'elements in shape'),
    input('an axis of no size', { shape: [0, 1, 4, 4] }, 'inputs.0.shape'),
    input('scales for an axis that is not there', { scale: [1, 1], zeroPoint: [0, 0], channelAxis: 9 }, 'scales'),
    input('more zero points than scales', { zeroPoint: [0, 0] }, 'zero points'),
    input('an unknown format', { format: 'f32' }, 'inputs.0.format'),
    input('a name that steers a terminal', { name: '\u001b[2J', offset: 2 ** 40 }, '"\\u{1b}[2J"'),
  ]
}

/** Cases made from a record of measured sensitivities with at least one loss. */
export function sensitivityCases(honest: string): TextCase[] {
  const loss = '{"layer":"c","choice":"s8","squaredError":1,"divergence":0}'
  const made = (name: string, from: RegExp | string, to: string, ...words: string[]): TextCase => ({
    name,
    text: utf8(honest.replace(from, to)),
    words,
  })
  return [
    ...jsonCases(honest),
    made('another kind', '"dyadic-sensitivities"', '"dyadic-plan"', 'kind'),
    made('an unknown key', '{', '{"\\u001b[2J":1,', 'unknown "\\u{1b}[2J"'),
    made('__proto__', '{', '{"__proto__":{"schema":1},', '__proto__'),
    made('a negative loss', '"losses": [', `"losses": [${loss.replace('1', '-1')},`, 'losses.0.squaredError'),
    made('a measurement twice', '"losses": [', `"losses": [${loss},${loss},`, 'two measurements of "c"'),
    made('a long name', '"losses": [', `"losses": [${loss.replace('"c"', `"${'n'.repeat(1025)}"`)},`, 'losses.0.layer'),
  ]
}
