/**
 * Runs random networks in both float executors and in onnxruntime-web until its parent ends it. Integers, truth values and
 * what float32 holds exactly must be equal; other floats may differ by 1e-5 of the magnitudes that they are made of, below
 * which the peer's own order of sums cannot be told from a mistake.
 */
import fc from 'fast-check'
import { DyadicError } from '../../dist/error.js'
import { readConstant } from '../../dist/graph/tensor.js'
import { parseOnnx } from '../../dist/index.js'
import { randomUint32 } from '../../dist/num/random.js'
import { createFastExecutor } from '../../dist/reference/fast.js'
import { runReference } from '../../dist/reference/run.js'
import { createOrtWeb } from '../peers/ort-web.mjs'
import { buildNetwork, recipes } from './random-network.mjs'
import { MANTISSA } from './value-kinds.mjs'

const TOLERANCE = 1e-5
/**
 * What the peer says of operators and types that it has no kernel for, and of legal networks that its own optimiser breaks: it
 * moves a DequantizeLinear behind what follows and gives it a zero point of another type.
 */
const LACKING =
  /NOT_IMPLEMENTED|Could not find an implementation|is not supported|not implemented|does not match y_zero_point type/i

const norm = (data) => {
  let largest = 0
  for (const number of data) largest = Math.max(largest, Math.abs(Number(number)))
  return largest
}

/** Where two arrays differ by more than `bound`, or `undefined`. */
function firstDifference(found, expected, bound) {
  if (found.length !== expected.length) return `${found.length} elements, ${expected.length} expected`
  for (let i = 0; i < found.length; i++) {
    const [a, b] = [found[i], expected[i]]
    const same = bound === 0 ? Number(a) === Number(b) : Math.abs(Number(a) - Number(b)) <= bound
    if (!same) return `element ${i} is ${a}, ${b} expected (bound ${bound})`
  }
  return undefined
}

/**
 * The magnitude that a value's error is measured by: the largest of its node's output and float inputs. What comes of a
 * difference keeps its error however small it is, so magnitudes up to 1 are passed on.
 */
function scalesOf(graph, known) {
  const scales = new Map()
  const ofFloat = (name) => (known.get(name)?.type === 'float32' ? norm(known.get(name).data) : 0)
  for (const { inputs, outputs } of graph.nodes) {
    const passed = Math.max(0, ...inputs.map((name) => Math.min(1, scales.get(name) ?? ofFloat(name))))
    for (const name of outputs) scales.set(name, Math.max(passed, ofFloat(name), ...inputs.map(ofFloat)))
  }
  return scales
}

/** What became of one recipe: `outcome` is a count's name, `fault` a finding. */
async function compare(recipe) {
  const { bytes, inputs, outputs, operators } = buildNetwork(recipe)
  if (bytes === undefined) return { outcome: 'empty', operators }
  const graph = parseOnnx(bytes, { quantised: 'keep' })
  const tensors = new Map([...inputs].map(([name, { type, dims, data }]) => [name, { type, shape: dims, data }]))
  const names = graph.nodes.flatMap((node) => node.outputs)
  let values
  try {
    values = runReference({ ...graph, outputs: names }, tensors)
  } catch (error) {
    if (error instanceof DyadicError) return { outcome: 'refused when it runs', operators }
    throw error
  }
  const reals = [...values.values()].filter(({ type }) => type === 'float32')
  if (reals.some(({ data }) => !data.every(Number.isFinite))) return { outcome: 'not finite', operators }
  for (const [name, constant] of graph.constants)
    values.set(name, { type: constant.type, shape: constant.shape, data: readConstant(constant) })
  const known = new Map([...tensors, ...values])
  const scales = scalesOf(graph, known)
  const bounds = new Map(
    outputs.map(({ name, type, bits }) => {
      const exact = type !== 'float32' || bits <= MANTISSA
      return [name, exact ? 0 : TOLERANCE * (scales.get(name) ?? 0)]
    }),
  )
  // This executor gives every type as float32.
  const fast = createFastExecutor(graph).run(
    new Map([...inputs].map(([name, { data }]) => [name, Float32Array.from(data, Number)])),
  )
  for (const { name } of outputs) {
    const wrong = firstDifference(fast.get(name), Float32Array.from(values.get(name).data, Number), bounds.get(name))
    if (wrong) return { outcome: 'differs', operators, fault: `fast executor, value ${name}: ${wrong}` }
  }
  let session
  let results
  try {
    session = await createOrtWeb(bytes)
    results = await session.run(Object.fromEntries(inputs))
  } catch (error) {
    const message = String(error?.message ?? error)
    return LACKING.test(message)
      ? { outcome: 'not done by the peer', operators }
      : { outcome: 'refused by the peer', operators, fault: `the peer refuses: ${message.slice(0, 400)}` }
  } finally {
    await session?.release()
  }
  for (const { name } of outputs) {
    const [found, { data, shape }] = [results[name], values.get(name)]
    if (String(found.dims) !== String(shape))
      return {
        outcome: 'differs',
        operators,
        fault: `value ${name} has shape [${shape}], the peer has [${found.dims}]`,
      }
    const wrong = firstDifference(data, found.data, bounds.get(name))
    if (wrong) return { outcome: 'differs', operators, fault: `value ${name}: ${wrong}` }
  }
  return { outcome: 'equal', operators }
}

process.on('message', async ({ seed, batch, count }) => {
  // Of what is run only to make a finding smaller, nothing is counted.
  let found = false
  const property = fc.asyncProperty(recipes, async (recipe) => {
    process.send({ start: recipe })
    const { outcome, operators, fault } = await compare(recipe)
    process.send({ end: found ? undefined : { outcome, operators } })
    found ||= fault !== undefined
    if (fault !== undefined) throw new Error(fault)
  })
  const details = await fc.check(property, { seed: randomUint32(seed, 0, batch) | 0, numRuns: count })
  if (details.failed) {
    const fault = details.errorInstance?.stack ?? String(details.errorInstance)
    process.send({ finding: { recipe: details.counterexample[0], fault } })
  }
  process.send({ idle: true })
})
