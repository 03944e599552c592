/**
 * Reports every operator of a model that dyadic does not have, in one message and before any other work: by domain, name
 * and number of nodes, inside subgraphs too.
 */
import { DyadicError, quoted } from '../error.ts'
import { operators } from '../graph/operators/index.ts'
import { REPLACED } from './replace-node.ts'
import { isRewritten } from './rewrite-quantised.ts'
import type { Message } from './schema.ts'

// Together these keep the message below its largest length, so that no operator falls off its end.
/** Operators listed; more are counted only. */
const LISTED_OPERATORS = 30
/** Node names given per operator: three, or one where many operators are missing. */
const NAMED_NODES = 3
const MANY_OPERATORS = 8
/** Characters of a node name given; its end tells more than its beginning. */
const NAME_LENGTH = 48

/** True for the two spellings of the default domain. */
export function isDefaultDomain(domain: string | undefined): boolean {
  return domain === undefined || domain === '' || domain === 'ai.onnx'
}

/** Throws `unsupported` with everything that is missing, most frequent first; `opset` is the default domain's version. */
export function checkOperators(graph: Message<'GraphProto'>, opset: number): void {
  const missing = new Map<string, { count: number; note: string; nodes: string[] }>()
  const visit = (nodes: readonly Message<'NodeProto'>[]): void => {
    for (const node of nodes) {
      const { key, note } = missingOperator(node, opset)
      if (key !== undefined) {
        const entry = missing.get(key) ?? { count: 0, note, nodes: [] }
        missing.set(key, entry)
        entry.count++
        const name = node.name || node.output.find((output) => output !== '')
        if (name && entry.nodes.length < NAMED_NODES) entry.nodes.push(shortened(name))
      }
      for (const attribute of node.attribute) {
        if (attribute.g !== undefined) visit(attribute.g.node)
        for (const inner of attribute.graphs) visit(inner.node)
      }
    }
  }
  visit(graph.node)
  if (missing.size === 0) return
  const named = missing.size > MANY_OPERATORS ? 1 : NAMED_NODES
  const list = [...missing]
    .sort(([, a], [, b]) => b.count - a.count)
    .slice(0, LISTED_OPERATORS)
    .map(([key, { count, note, nodes }]) => {
      const shown = nodes.slice(0, named)
      const more = count > shown.length ? ', …' : ''
      return `${key} × ${count}${note}${shown.length > 0 ? ` (${shown.join(', ')}${more})` : ''}`
    })
  const rest = missing.size > LISTED_OPERATORS ? `; and ${missing.size - LISTED_OPERATORS} more` : ''
  throw new DyadicError(
    'unsupported',
    `the model uses ${missing.size} ${missing.size === 1 ? 'operator' : 'operators'} that dyadic does not have (ai.onnx opset ${opset}): ` +
      `${list.join('; ')}${rest}`,
  )
}

function shortened(name: string): string {
  return name.length <= NAME_LENGTH ? quoted(name) : `…${quoted(name.slice(-NAME_LENGTH))}`
}

function missingOperator(node: Message<'NodeProto'>, opset: number): { key?: string; note: string } {
  const type = node.opType ?? ''
  const name = quoted(type).slice(1, -1)
  if (node.overload) {
    const domain = isDefaultDomain(node.domain) ? 'ai.onnx' : quoted(node.domain as string).slice(1, -1)
    return { key: `${domain}::${name}:${quoted(node.overload).slice(1, -1)}`, note: ', no function of the file' }
  }
  if (isRewritten(node.domain ?? '', type)) return { note: '' }
  if (!isDefaultDomain(node.domain)) return { key: `${quoted(node.domain as string).slice(1, -1)}::${name}`, note: '' }
  if (type === 'Constant' || type === 'If') return { note: '' }
  // Names with a dot are the graph's own fused forms, which no file may contain.
  const operator = type.includes('.') ? undefined : operators.get(type)
  const [from, to] = REPLACED.get(type) ?? [Infinity, 0]
  if (from <= opset && opset <= to) return { note: '' }
  if (operator === undefined) return { key: `ai.onnx::${name}`, note: '' }
  const first = Math.min(...operator.since)
  return first > opset ? { key: `ai.onnx::${name}`, note: ` in its form before opset ${first}` } : { note: '' }
}
