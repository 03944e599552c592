/**
 * Changes of a model's own functions for the fuzzer: a node of the graph moved into a function and called (which changes no
 * result), calls redirected so that towers and circles arise, signatures, attributes and references of attributes changed.
 * `draw` makes every choice, as in `mutate.mjs`.
 */

const DOMAIN = 'own'
const pick = (draw, list) => list[draw(list.length)]

/** Moves one node into a function of its own, with its attributes as the function's where `draw` says so. */
function outline(draw, model) {
  const nodes = model.graph.node
  const at = draw(nodes.length)
  const node = nodes[at]
  const input = [...new Set(node.input.filter((name) => name !== ''))]
  const output = node.output.filter((name) => name !== '' && !input.includes(name))
  const name = `F${model.functions.length}`
  const passed = draw(2) === 0 ? (node.attribute ?? []) : []
  const attribute = passed.length > 0 ? passed.map((one) => ({ ...one, refAttrName: one.name })) : node.attribute
  const cleared = (one) => ({ name: one.name, type: one.type, refAttrName: one.refAttrName })
  model.functions.push({
    name,
    domain: DOMAIN,
    input,
    output,
    attribute: draw(2) === 0 ? passed.map((one) => one.name) : [],
    attributeProto: draw(2) === 0 ? passed : [],
    node: [{ ...node, attribute: passed.length > 0 ? attribute.map(cleared) : attribute }],
    opsetImport: model.opsetImport.map((one) => ({ ...one })),
  })
  nodes[at] = { opType: name, domain: DOMAIN, name: node.name, input, output, attribute: passed }
}

/** A function that calls another several times in a row: levels of these are what function bombs are made of. */
function multiply(draw, model) {
  const { name, domain, input, output, opsetImport } = pick(draw, model.functions)
  if (input.length === 0 || output.length === 0) return
  const times = 1 + draw(10)
  const value = (index) => (index === 0 ? 'a' : `v${index}`)
  const node = Array.from({ length: times }, (_, i) => ({
    opType: name,
    domain,
    input: input.map(() => value(i)),
    output: output.map((_, index) => (index === 0 ? value(i + 1) : `v${i + 1}.${index}`)),
    attribute: [],
  }))
  const own = `F${model.functions.length}`
  model.functions.push({ name: own, domain: DOMAIN, input: ['a'], output: [value(times)], node, opsetImport })
}

/** One change of functions or calls; `changeGraph` is that of graphs, for bodies. */
export function changeFunctions(draw, model, changeGraph) {
  model.functions ??= []
  const { functions } = model
  const kind = draw(12)
  if (functions.length === 0 || kind < 2) {
    if (model.graph.node.length > 0) outline(draw, model)
    return
  }
  const one = pick(draw, functions)
  const nodes = [...model.graph.node, ...functions.flatMap(({ node = [] }) => node)]
  const names = [...(one.input ?? []), ...(one.output ?? []), ...nodes.flatMap(({ output }) => output), '']
  switch (kind) {
    case 2:
      for (let levels = 1 + draw(12); levels > 0; levels--) multiply(draw, model)
      break
    case 3: {
      const some = nodes.length > 0 ? pick(draw, nodes) : undefined
      if (some) Object.assign(some, { opType: one.name, domain: one.domain })
      break
    }
    case 4:
      one.input = [...(one.input ?? [])]
      one.input.splice(draw(one.input.length + 1), draw(2), ...(draw(2) === 0 ? [pick(draw, names)] : []))
      break
    case 5:
      one.output = [...(one.output ?? [])]
      one.output.splice(draw(one.output.length + 1), draw(2), ...(draw(2) === 0 ? [pick(draw, names)] : []))
      break
    case 6:
      one.attribute = draw(2) === 0 ? [] : [...(one.attribute ?? []), pick(draw, ['alpha', 'axis', '', '__proto__'])]
      break
    case 7: {
      const referring = (one.node ?? []).flatMap(({ attribute = [] }) => attribute)
      if (referring.length > 0) pick(draw, referring).refAttrName = pick(draw, ['', 'alpha', 'axis', 'constructor'])
      break
    }
    case 8:
      functions.push({ ...one, name: draw(2) === 0 ? one.name : pick(draw, ['Relu', 'Conv', '', '\u001b[2J']) })
      break
    case 9:
      one.domain = pick(draw, ['', 'ai.onnx', 'own', 'com.microsoft', '__proto__'])
      break
    case 10:
      one.opsetImport = draw(2) === 0 ? [] : [{ domain: '', version: BigInt(draw(30)) }]
      break
    default: {
      const body = { node: one.node ?? [], input: [{ name: 'a' }], output: [{ name: 'b' }] }
      changeGraph(draw, body, model.graph)
      one.node = body.node
    }
  }
}
