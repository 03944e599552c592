/**
 * The language model as graphs, made of its weights file: the whole sequence at once, and one step with a cache. Both give
 * their values the same names, so that one plan serves both, and both compute the same integers: a step's logits are the
 * full graph's at that position.
 *
 * The step takes everything that depends on the position from tables by the position itself: rows of rotary sines and
 * cosines, and a row of the mask. It reads the keys and values of all earlier positions as inputs and gives those of its own
 * as outputs; whoever runs it copies them into the cache. Nothing in the program grows.
 */

/** What is added to the score of a position that may not be seen. */
const MASKED = -1e9
const EPSILON = 1e-5

/** Sizes and weights of a llama2.c checkpoint (version 0): seven int32, then float32 matrices. */
export function readCheckpoint(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [dimension, hidden, layers, heads, keyHeads, vocabulary, context] = Array.from({ length: 7 }, (_, i) =>
    view.getInt32(4 * i, true),
  )
  const head = dimension / heads
  let at = 28
  const take = (...shape) => {
    const count = shape.reduce((product, size) => product * size, 1)
    if (at + 4 * count > bytes.byteLength)
      throw new Error(`the checkpoint has ${bytes.byteLength} bytes; its header asks for more than ${at + 4 * count}`)
    const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4 * count))
    at += 4 * count
    return { shape, data }
  }
  const perLayer = (...shape) => Array.from({ length: layers }, () => take(...shape))
  const sizes = { dimension, hidden, layers, heads, keyHeads, vocabulary, context, head }
  const weights = {
    embedding: take(vocabulary, dimension),
    attentionNorm: perLayer(dimension),
    wq: perLayer(heads * head, dimension),
    wk: perLayer(keyHeads * head, dimension),
    wv: perLayer(keyHeads * head, dimension),
    wo: perLayer(dimension, heads * head),
    feedNorm: perLayer(dimension),
    w1: perLayer(hidden, dimension),
    w2: perLayer(dimension, hidden),
    w3: perLayer(hidden, dimension),
    norm: take(dimension),
    cosines: take(context, head / 2),
    sines: take(context, head / 2),
  }
  return { sizes, weights }
}

/** [out][in] to [in][out], as MatMul has its second operand. */
function transposed({ shape: [rows, columns], data }) {
  const turned = new Float32Array(data.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column]
  return { shape: [columns, rows], data: turned }
}

/** A graph under construction. */
function sketch(name) {
  const constants = {}
  const nodes = []
  const node = (operator, output, inputs, attributes = {}) => {
    nodes.push({ operator, inputs, outputs: [output].flat(), attributes })
    return output
  }
  const constant = (name, shape, data, type) => {
    constants[name] ??= { shape, data, type }
    return name
  }
  const integers = (name, list) => constant(name, [list.length], list, 'int64')
  const reshape = (output, input, shape) => node('Reshape', output, [input, integers(`${output}:shape`, shape)])
  return { name, constants, nodes, node, constant, integers, reshape }
}

/** The network over `length` tokens at once: `tokens` int64 [1, length] to `logits` [1, length, vocabulary]. */
export function fullGraph({ sizes, weights }, length) {
  const { head } = sizes
  const s = sketch('stories')
  const rows = ({ data }) => data.slice(0, (length * head) / 2)
  const positions = {
    cosines: s.constant('cosines', [length, 1, head / 2], rows(weights.cosines)),
    sines: s.constant('sines', [length, 1, head / 2], rows(weights.sines)),
    mask: s.constant(
      'mask',
      [length, length],
      Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? MASKED : 0)),
    ),
  }
  const logits = transformer(s, { sizes, weights }, length, positions, (_, own) => own)
  return {
    ...s,
    inputs: [{ name: 'tokens', type: 'int64', shape: [1, length] }],
    outputs: [logits],
  }
}

/**
 * One token of a sequence of at most `length`: `tokens` int64 [1, 1], `position` int64 [1], and for each layer `keys.L` and
 * `values.L` [1, length, keyHeads, head], of which the first `position` rows count. Gives `logits` [1, 1, vocabulary] and
 * the rows `layers.L.key` and `layers.L.value` [1, 1, keyHeads, head] that belong at `position`.
 */
export function stepGraph({ sizes, weights }, length) {
  const { layers, keyHeads, head } = sizes
  const s = sketch('stories-step')
  const rowOf = (name, columns, data, shape) => {
    s.constant(`${name}:table`, [length, columns], data)
    return s.reshape(name, s.node('Gather', `${name}:row`, [`${name}:table`, 'position'], { axis: 0 }), shape)
  }
  const rows = ({ data }) => data.slice(0, (length * head) / 2)
  // Behind the cached positions stands the step's own, which is always seen.
  const seen = Float32Array.from({ length: length * (length + 1) }, (_, i) => {
    const column = i % (length + 1)
    return column < length && column >= Math.floor(i / (length + 1)) ? MASKED : 0
  })
  const positions = {
    cosines: rowOf('cosines', head / 2, rows(weights.cosines), [1, 1, head / 2]),
    sines: rowOf('sines', head / 2, rows(weights.sines), [1, 1, head / 2]),
    mask: rowOf('mask', length + 1, seen, [1, length + 1]),
  }
  const logits = transformer(s, { sizes, weights }, 1, positions, (cache, own) =>
    s.node('Concat', `${own}:all`, [cache, own], { axis: 1 }),
  )
  const caches = Array.from({ length: layers }, (_, layer) => [`keys.${layer}`, `values.${layer}`]).flat()
  const own = Array.from({ length: layers }, (_, layer) => [`layers.${layer}.key`, `layers.${layer}.value`]).flat()
  return {
    ...s,
    inputs: [
      { name: 'tokens', type: 'int64', shape: [1, 1] },
      { name: 'position', type: 'int64', shape: [1] },
      ...caches.map((name) => ({ name, type: 'float32', shape: [1, length, keyHeads, head] })),
    ],
    outputs: [logits, ...own],
  }
}

/** Everything that both graphs share; `joined` puts the cache before a step's own keys and values. */
function transformer(s, { sizes, weights }, length, { cosines, sines, mask }, joined) {
  const { dimension, layers, heads, keyHeads, head } = sizes
  const dense = (output, input, weight) =>
    s.node('MatMul', output, [input, s.constant(`${output}:weights`, ...Object.values(transposed(weight)))])
  const normal = (output, input, scale) =>
    s.node('RMSNormalization', output, [input, s.constant(`${output}:scale`, scale.shape, scale.data)], {
      axis: -1,
      epsilon: EPSILON,
    })
  /** Neighbouring pairs turned by the angle of their position. */
  const rotated = (output, input, count) => {
    const pairs = s.reshape(`${output}:pairs`, input, [1, length, count, head / 2, 2])
    const parts = [0, 1].map((part) => `${output}:${part}`)
    s.node(
      'Split',
      parts.map((part) => `${part}:pair`),
      [pairs, s.integers('halves', [1, 1])],
      { axis: 4 },
    )
    const [a, b] = parts.map((part) => s.reshape(part, `${part}:pair`, [1, length, count, head / 2]))
    const times = (name, x, y) => s.node('Mul', `${output}:${name}`, [x, y])
    const real = s.node('Sub', `${output}:real`, [times('ac', a, cosines), times('bs', b, sines)])
    const imaginary = s.node('Add', `${output}:imaginary`, [times('as', a, sines), times('bc', b, cosines)])
    const turned = [real, imaginary].map((part) => s.reshape(`${part}:pair`, part, [1, length, count, head / 2, 1]))
    return s.reshape(output, s.node('Concat', `${output}:turned`, turned, { axis: 4 }), [1, length, count, head])
  }
  /** Keys or values of every head, heads first: each key head serves several heads. */
  const shared = (input, permutation, rows) => {
    const one = s.reshape(`${input}:one`, input, [1, rows, keyHeads, 1, head])
    const size = s.integers(`${input}:repeats`, [1, rows, keyHeads, heads / keyHeads, head])
    const all = s.reshape(`${input}:shared`, s.node('Expand', `${input}:each`, [one, size]), [1, rows, heads, head])
    return s.node('Transpose', `${input}:heads`, [all], { perm: permutation })
  }
  s.constant('embedding', weights.embedding.shape, weights.embedding.data)
  let x = s.node('Gather', 'embedded', ['embedding', 'tokens'], { axis: 0 })
  for (let layer = 0; layer < layers; layer++) {
    const name = (part) => `layers.${layer}.${part}`
    const y = normal(name('attention-norm'), x, weights.attentionNorm[layer])
    const query = rotated(name('query'), dense(name('wq'), y, weights.wq[layer]), heads)
    const key = rotated(name('key'), dense(name('wk'), y, weights.wk[layer]), keyHeads)
    const value = s.reshape(name('value'), dense(name('wv'), y, weights.wv[layer]), [1, length, keyHeads, head])
    const [keys, values] = [joined(`keys.${layer}`, key), joined(`values.${layer}`, value)]
    const rows = keys === key ? length : s.constants['mask:table'].shape[1]
    const products = s.node('MatMul', name('products'), [
      s.node('Transpose', name('query:heads'), [query], { perm: [0, 2, 1, 3] }),
      shared(keys, [0, 2, 3, 1], rows),
    ])
    const scale = s.constant('scale', [], [1 / Math.sqrt(head)])
    const scores = s.node('Add', name('scores'), [s.node('Mul', name('scaled'), [products, scale]), mask])
    const shares = s.node('Softmax', name('shares'), [scores], { axis: -1 })
    const sums = s.node('MatMul', name('sums'), [shares, shared(values, [0, 2, 1, 3], rows)])
    const joint = s.node('Transpose', name('sums:tokens'), [sums], { perm: [0, 2, 1, 3] })
    const attended = s.reshape(name('attended'), joint, [1, length, dimension])
    x = s.node('Add', name('x'), [x, dense(name('wo'), attended, weights.wo[layer])])
    const z = normal(name('feed-norm'), x, weights.feedNorm[layer])
    const gate = s.node('Swish', name('gate'), [dense(name('w1'), z, weights.w1[layer])])
    const inner = s.node('Mul', name('inner'), [gate, dense(name('w3'), z, weights.w3[layer])])
    x = s.node('Add', name('feed'), [x, dense(name('w2'), inner, weights.w2[layer])])
  }
  const last = normal('norm', x, weights.norm)
  const output = transposed(weights.embedding)
  s.constant('output:weights', output.shape, output.data)
  return s.node('MatMul', 'logits', [last, 'output:weights'])
}
