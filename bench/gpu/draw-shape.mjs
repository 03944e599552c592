/**
 * Random products of matrices and convolutions as integer graphs, by number, and many of them side by side as one graph. Reads
 * the TypeScript sources, whose generators are not part of the package: Node 22.18 or newer.
 */
import { createRandom } from '../../src/program/program.fixture.ts'
import { createBuilder } from '../../src/program/random-graph.fixture.ts'

const square = (kernel, stride, pad, dilation = 1) => ({
  kernel: [kernel, kernel],
  strides: [stride, stride],
  dilations: [dilation, dilation],
  pads: [pad, pad, pad, pad],
})

/** An integer from 1 to `most`; small ones come more often. */
const skewed = (random, most) => 1 + Math.floor((most * random.between(0, 999) ** 2) / 1e6)

/** Half of all channel counts fit the kernels that read 16 bytes at once. */
function channelsOf(random, most) {
  const count = skewed(random, most)
  return random.chance(0.5) ? 16 * Math.ceil(count / 16) : count
}

const numbers = (random) => ({
  inputZeroPoints: random.pick(['none', 'uniform', 'channel']),
  multipliers: random.pick(['fill', 'fill', 'left', 'extreme']),
  weightFormat: random.pick(['s8', 's8', 'u8']),
  format: random.pick(['s8', 's8', 's16', 's32']),
})

/** Rows × depth times depth × columns. */
function product(builder, random) {
  const rows = skewed(random, 300)
  const columns = channelsOf(random, 200)
  const input = builder.input(rows, 1, channelsOf(random, 320), random.pick(['u8', 's8']))
  builder.output(builder.convolution(input, { outputs: columns, window: square(1, 1, 0), ...numbers(random) }))
  return 'product'
}

/** A window over a picture, now and then with a residual behind it. */
function convolution(builder, random) {
  const kernel = random.pick([1, 2, 3, 3, 3, 5])
  const [height, width] = [random.between(kernel, 13), random.between(kernel, 13)]
  const input = builder.input(height, width, channelsOf(random, 64), random.pick(['u8', 's8', 's8']))
  const stride = random.pick([1, 1, 2])
  const window = square(kernel, stride, random.chance(0.5) ? kernel >> 1 : 0)
  const outputs = channelsOf(random, 96)
  const choice = numbers(random)
  const first = builder.convolution(input, { outputs, window, ...choice })
  builder.output(first)
  if (choice.format !== 's32' && random.chance(0.2)) {
    const narrow = choice.format === 's8' ? first : builder.convolution(input, { outputs, window })
    const rest = { outputs, window: square(1, 1, 0), residual: first, format: choice.format }
    builder.output(builder.convolution(narrow, rest))
  }
  return 'convolution'
}

/** Each channel, or each group of channels, by itself. */
function grouped(builder, random) {
  const kernel = random.pick([1, 3, 3, 5])
  const side = random.between(kernel, 12)
  const groups = skewed(random, 48)
  const depthwise = random.chance(0.7)
  const [perInput, perOutput] = depthwise ? [1, 1] : [random.between(1, 4), random.between(1, 4)]
  const input = builder.input(side, side, groups * perInput, random.pick(['u8', 's8', 's16']))
  const window = square(kernel, random.pick([1, 1, 2]), random.chance(0.7) ? kernel >> 1 : 0)
  const { format, inputZeroPoints } = numbers(random)
  const choice = { outputs: groups * perOutput, groups, depthwise: depthwise && perInput === 1, window }
  builder.output(builder.convolution(input, { ...choice, format, inputZeroPoints }))
  return depthwise ? 'depthwise' : 'grouped'
}

/** Two computed matrices, in several pairs and in any layout. */
function computed(builder, random) {
  const sizes = { rows: skewed(random, 80), inner: skewed(random, 80), columns: skewed(random, 80) }
  const batches = random.pick([[], [2], [3, 2]])
  const formats = ['s8', 's8', 's8'].map((format) => (random.chance(0.4) ? 's16' : format))
  builder.output(builder.product({ ...sizes, batches }, formats))
  return 'product of two inputs'
}

const KINDS = [product, product, product, convolution, convolution, convolution, grouped, computed]

/** The shape of a number. */
export function drawShape(seed) {
  const random = createRandom(seed)
  const builder = createBuilder(`shape ${seed}`, random)
  const kind = random.pick(KINDS)(builder, random)
  return { graph: builder.graph(), random, kind }
}

/** An instruction with its tensors in the joined graph. */
function movedInstruction(instruction, moved, named) {
  const copy = { ...instruction, name: named(instruction.name) }
  for (const key of ['input', 'output', 'left', 'right']) if (copy[key]?.id !== undefined) copy[key] = moved(copy[key])
  if (copy.residual !== undefined) copy.residual = { ...copy.residual, input: moved(copy.residual.input) }
  for (const key of ['inputName', 'outputName']) if (key in copy) copy[key] = named(copy[key])
  return copy
}

/** Graphs side by side; names get the graph's number in front, `<number>/<name>`. */
export function sideBySide(graphs) {
  let ids = 0
  const all = { name: 'shapes', inputs: [], outputs: [], tensors: [], instructions: [] }
  for (const [number, graph] of graphs.entries()) {
    const named = (name) => `${number}/${name}`
    const tensors = new Map(graph.tensors.map((tensor) => [tensor.id, { ...tensor, id: ids++ }]))
    const moved = (tensor) => tensors.get(tensor.id)
    all.instructions.push(...graph.instructions.map((instruction) => movedInstruction(instruction, moved, named)))
    all.tensors.push(...tensors.values())
    for (const side of ['inputs', 'outputs'])
      all[side].push(...graph[side].map((port) => ({ ...port, name: named(port.name) })))
  }
  return all
}
