/** Plans that are damaged, contradictory, or for another network. */
import type { Plan } from '../../src/quantize/plan.ts'
import { utf8 } from './sketch.ts'

/** Text of a plan file, and a word that its refusal must have. */
export interface PlanCase {
  readonly name: string
  readonly text: Uint8Array
  readonly words: readonly string[]
}

type Edit = (plan: Record<string, never> & Plan) => unknown

/** Cases made from an honest plan that has one convolution `c`, one input `x` and an output `y`. */
export function planCases(honest: Plan): PlanCase[] {
  const text = JSON.stringify(honest)
  const made = (name: string, given: string, ...words: string[]): PlanCase => ({ name, text: utf8(given), words })
  const edited = (name: string, edit: Edit, ...words: string[]): PlanCase => {
    const copy = JSON.parse(text) as Parameters<Edit>[0]
    edit(copy)
    return made(name, JSON.stringify(copy), ...words)
  }
  /** With a number of the text that JSON itself may write in more than one way. */
  const written = (name: string, edit: Edit, number: string, ...words: string[]): PlanCase => {
    const copy = JSON.parse(text) as Parameters<Edit>[0]
    edit(copy)
    return made(name, JSON.stringify(copy).replace('"HERE"', number), ...words)
  }
  const here = 'HERE' as unknown as number
  const [layer] = Object.keys(honest.weights)
  const [tensor] = Object.keys(honest.tensors)
  const scaleOf = (number: string): PlanCase =>
    written(
      `scale ${number}`,
      (plan) => void Object.assign(plan.tensors[tensor], { scale: here }),
      number,
      'scale',
      'number',
    )
  const zeroOf = (number: string): PlanCase =>
    written(
      `zero point ${number}`,
      (plan) => void Object.assign(plan.tensors[tensor], { format: 'u8', zeroPoint: here }),
      number,
      'zeroPoint',
      'number',
    )
  return [
    made('empty', '', 'JSON'),
    made('null', 'null', 'plan'),
    made('a list', '[]', 'plan'),
    made('a number', '1e309', 'number'),
    made('cut', text.slice(0, text.length / 2), 'JSON'),
    made('twice', text + text, 'JSON'),
    made('with a byte order mark', `\ufeff${text}`, 'JSON'),
    { name: 'not UTF-8', text: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), words: ['UTF-8'] },
    made('10^5 lists in each other', '['.repeat(100_000), 'nested', 'JSON'),
    made('10^5 closed lists in each other', '['.repeat(100_000) + ']'.repeat(100_000), 'nested'),
    made('10^5 objects in each other', '{"a":'.repeat(100_000), 'nested', 'JSON'),
    made(
      '65 levels in its origin',
      text.replace('"origin":{', `"origin":{"deep":${'['.repeat(65)}${']'.repeat(65)},`),
      'nested',
    ),
    made('a key twice', text.replace('{', '{"schema":1,'), 'twice'),
    made('a key twice, once escaped', text.replace('{', '{"sch\\u0065ma":1,'), 'twice'),
    made('a layer twice', text.replace('"weights":{', `"weights":{${JSON.stringify(layer)}:{},`), 'twice'),
    made('__proto__ at the top', text.replace('{', '{"__proto__":{"schema":1},'), '__proto__', 'recognized'),
    made('constructor at the top', text.replace('{', '{"constructor":1,'), 'constructor', 'recognized'),
    made(
      '__proto__ among the tensors',
      text.replace('"tensors":{', '"tensors":{"__proto__":{"format":"u8","scale":1,"zeroPoint":0},'),
      '__proto__',
    ),
    made(
      '__proto__ among the weights',
      text.replace('"weights":{', '"weights":{"__proto__":{"format":"s8","scale":[1],"zeroPoint":[0]},'),
      '__proto__',
    ),
    edited('another schema', (plan) => Object.assign(plan, { schema: 2 }), 'schema'),
    edited('another kind', (plan) => Object.assign(plan, { kind: 'other' }), 'kind'),
    edited('an unknown key', (plan) => Object.assign(plan, { speed: 9 }), 'speed'),
    edited('no tensors', (plan) => Object.assign(plan, { tensors: undefined }), 'tensors'),
    edited('no input', (plan) => Object.assign(plan, { inputs: {} }), '"x"'),
    edited('another input', (plan) => Object.assign(plan, { inputs: { ...plan.inputs, z: plan.inputs.x } }), '"z"'),
    edited('an unknown tensor', (plan) => Object.assign(plan.tensors, { nowhere: plan.tensors[tensor] }), '"nowhere"'),
    edited(
      'a mistyped layer',
      (plan) => Object.assign(plan.weights, { [`${layer}2`]: plan.weights[layer] }),
      `"${layer}2"`,
    ),
    edited('a bias for no layer', (plan) => Object.assign(plan, { biases: { nowhere: [1] } }), '"nowhere"'),
    edited(
      '1,000 unknown tensors',
      (plan) => {
        for (let i = 0; i < 1000; i++) Object.assign(plan.tensors, { [`t${i}`]: plan.tensors[tensor] })
      },
      'names',
    ),
    edited(
      'a name of 1,025 characters',
      (plan) => Object.assign(plan.tensors, { ['n'.repeat(1025)]: plan.tensors[tensor] }),
      'tensors',
    ),
    edited(
      'a name that steers a terminal',
      (plan) => Object.assign(plan.tensors, { '\u001b[2J': plan.tensors[tensor] }),
      'u{1b}',
    ),
    edited('an unknown format', (plan) => Object.assign(plan.tensors[tensor], { format: 'u33' }), 'format'),
    edited('a format of no bits', (plan) => Object.assign(plan.weights[layer], { format: 's0' }), 'format'),
    ...['0', '-1', '1e309', '-1e309', '1e-400', '-0', 'null', '"1"', '[]', 'true'].map(scaleOf),
    ...['256', '-1', '0.5', '1e309', '2147483648', '9007199254740993', 'null', '"0"'].map(zeroOf),
    edited('no weight scales', (plan) => Object.assign(plan.weights[layer], { scale: [] }), 'scale'),
    edited(
      'too many weight scales',
      (plan) => Object.assign(plan.weights[layer], { scale: [1, 1, 1, 1, 1, 1, 1] }),
      'scale',
    ),
    edited('a negative weight scale', (plan) => Object.assign(plan.weights[layer], { scale: [-1] }), 'scale'),
    edited('a weight zero point of 1,000', (plan) => Object.assign(plan.weights[layer], { zeroPoint: [1000] }), 'zero'),
    edited('codes that are not base64', (plan) => Object.assign(plan.weights[layer], { codes: '*' }), 'codes'),
    edited('too few codes', (plan) => Object.assign(plan.weights[layer], { codes: 'AA==' }), 'codes'),
    edited(
      'groups of no size',
      (plan) => Object.assign(plan.weights[layer], { groups: { size: 0, factors: 'AA==' } }),
      'size',
    ),
    edited(
      'groups of 10^15',
      (plan) => Object.assign(plan.weights[layer], { groups: { size: 1e15, factors: 'AA==' } }),
      'group',
      'factors',
    ),
    edited(
      'biases of the wrong number',
      (plan) => Object.assign(plan, { biases: { [layer]: [1, 2, 3, 4, 5, 6, 7, 8, 9] } }),
      'bias',
    ),
    edited('an infinite bias', (plan) => Object.assign(plan, { biases: { [layer]: [null] } }), 'biases'),
    edited(
      'channel scales of the wrong number',
      (plan) => Object.assign(plan.tensors[tensor], { channelScales: [1, 1, 1, 1, 1, 1, 1] }),
      'channel',
    ),
  ]
}
