/**
 * Dropout in training mode with a seed: what it drops is a constant of the file, so the node becomes a product with that
 * constant, and its mask a constant too. The mask is the one of ONNX's reference (onnx/reference/ops/op_dropout.py): an
 * element stays where NumPy's `RandomState(seed).uniform()`, drawn in row-major order, is at least the ratio, and is scaled
 * by 1/(1 − ratio) in float32. Without a seed nobody can draw the same numbers again; such a node stays, to be refused.
 */
import { DyadicError, quoted } from '../error.ts'
import type { Node } from '../graph/graph.ts'
import type { Expansion } from '../graph/infer.ts'
import { type Constant, elementCount, makeConstant, readNumbers } from '../graph/tensor.ts'
import type { Limits } from './limits.ts'
import { mersenneTwister } from './mersenne-twister.ts'
import type { Names } from './read-nodes.ts'

const LARGEST_SEED = 2 ** 32 - 1

/**
 * Replaces Dropout nodes that drop something and say by which seed. Throws `refused` on ratios and seeds out of range,
 * `unsupported` on other types than float32, `limit` beyond `drawnElements` of all masks together.
 */
export function dropoutDrawer(names: Names, limits: Limits): Expansion {
  let drawn = 0
  return (node, values, constants) => {
    const x = values.get(node.inputs[0] ?? '')
    const seed = node.attributes.get('seed')
    if (node.operator !== 'Dropout' || typeof seed !== 'number' || x === undefined) return undefined
    // Whatever else may be wrong with the node is for its schema to say.
    if (node.attributes.size > 1 || node.inputs.length > 3 || node.outputs.length > 2) return undefined
    const given = known(node, constants)
    if (given === undefined || given.ratio === 0) return undefined
    const { ratio } = given
    const wrong = (code: 'refused' | 'unsupported' | 'limit', problem: string): never => {
      throw new DyadicError(code, `node ${quoted(node.name)} (Dropout in training mode) ${problem}`)
    }
    if (x.type !== 'float32' || given.type !== 'float32')
      wrong(
        'unsupported',
        `has a tensor of ${x.type} and a ratio of ${given.type}; random masks are drawn for float32 only`,
      )
    if (!(ratio > 0 && ratio < 1)) wrong('refused', `has the ratio ${ratio}; it must be at least 0 and below 1`)
    if (!Number.isInteger(seed) || seed < 0 || seed > LARGEST_SEED)
      wrong('refused', `has the seed ${seed}; NumPy's generator takes 0 to 2^32 − 1`)
    const count = elementCount(x.shape)
    drawn += count
    if (drawn > limits.drawnElements)
      wrong(
        'limit',
        `draws for ${count} elements; at most ${limits.drawnElements} are drawn in all (limit "drawnElements")`,
      )

    const scale = Math.fround(1 / Math.fround(1 - ratio))
    const mask = new Uint8Array(count)
    const factors = new Float32Array(count)
    const draw = mersenneTwister(seed)
    for (let i = 0; i < count; i++)
      if (draw() >= ratio) {
        mask[i] = 1
        factors[i] = scale
      }
    const [y, maskOutput = ''] = node.outputs
    const factorsName = names.freeValue(`${node.name}.factors`)
    const added = new Map<string, Constant>([[factorsName, makeConstant('float32', x.shape, factors)]])
    const nodes: Node[] = [
      { ...node, operator: 'Mul', inputs: [x.name, factorsName], outputs: [y], attributes: new Map() },
    ]
    if (maskOutput !== '') {
      const maskName = names.freeValue(`${node.name}.mask`)
      added.set(maskName, makeConstant('bool', x.shape, mask))
      const name = names.freeNode(`${node.name}.mask`)
      nodes.push({ name, operator: 'Identity', inputs: [maskName], outputs: [maskOutput], attributes: new Map() })
    }
    return { nodes, constants: added }
  }
}

/** Ratio and its type in training mode; undefined at inference, and where one of them is no constant of one element. */
function known(
  { inputs }: Node,
  constants: ReadonlyMap<string, Constant>,
): { ratio: number; type: Constant['type'] } | undefined {
  const single = (name = ''): { value: number; type: Constant['type'] } | undefined => {
    const constant = constants.get(name)
    if (constant === undefined || elementCount(constant.shape) !== 1) return undefined
    return { value: readNumbers(constant)[0], type: constant.type }
  }
  const training = single(inputs[2])
  if (training === undefined || training.value === 0) return undefined
  if (!inputs[1]) return { ratio: 0.5, type: 'float32' }
  const ratio = single(inputs[1])
  return ratio && { ratio: ratio.value, type: ratio.type }
}
