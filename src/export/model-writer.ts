/**
 * Collects one ONNX model while it is made: nodes in order, initialisers, names that are free, operator sets that are used.
 * Equal calls give equal bytes.
 */
import { DyadicError, quoted } from '../error.ts'
import type { AttributeValue, Graph, Value } from '../graph/graph.ts'
import type { AttributeSchema } from '../graph/operator.ts'
import type { MessageInput } from '../onnx/schema.ts'
import { encodeModel } from '../onnx/write-wire.ts'
import { DATA_TYPES, type StoredTensor, type StoredType, storeNumbers } from './onnx-tensor.ts'

/** Version of the default operator set that exports are written for: the first with 4- and 16-bit QuantizeLinear. */
export const EXPORT_OPSET = 21
/** The file format's version of that operator set. */
const IR_VERSION = 10n
/** Other domains and their versions. */
const DOMAINS = { 'com.microsoft': 1n, 'qonnx.custom_op.general': 1n } as const
export type Domain = keyof typeof DOMAINS

const UTF8 = new TextEncoder()

/** Kinds of attributes where the value does not tell: a whole number may be a float. */
export type AttributeKinds = Readonly<Record<string, Pick<AttributeSchema, 'kind'>>>

export class ModelWriter {
  readonly #graph: Graph
  readonly #taken: Set<string>
  readonly #nodes: MessageInput<'NodeProto'>[] = []
  readonly #initializers: MessageInput<'TensorProto'>[] = []
  readonly #constants = new Set<string>()
  readonly #domains = new Set<Domain>()

  /** Names of the graph's values are kept for these values. */
  constructor(graph: Graph) {
    this.#graph = graph
    this.#taken = new Set(graph.values.keys())
  }

  /** A name no value has: `wish`, or with a number behind it. */
  free(wish: string): string {
    let name = wish
    for (let i = 2; this.#taken.has(name); i++) name = `${wish}.${i}`
    this.#taken.add(name)
    return name
  }

  /** An initialiser under a free name, which is returned. */
  constant(wish: string, tensor: StoredTensor): string {
    const name = this.free(wish)
    this.#initializers.push({ ...tensor, name })
    return name
  }

  /** One number of no dimensions. */
  scalar(wish: string, type: StoredType, value: number): string {
    return this.constant(wish, storeNumbers(type, [], [value]))
  }

  /** An initialiser under the name that the graph's constant has, once. */
  graphConstant(name: string, tensor: () => StoredTensor): string {
    if (!this.#constants.has(name)) {
      this.#constants.add(name)
      this.#initializers.push({ ...tensor(), name })
    }
    return name
  }

  /** One node, named after its first output. Attributes without a kind are integers, lists of integers or text. */
  node(
    opType: string,
    input: readonly string[],
    output: string | readonly string[],
    attributes: ReadonlyMap<string, AttributeValue> | Readonly<Record<string, AttributeValue>> = {},
    { domain, kinds = {} }: { readonly domain?: Domain; readonly kinds?: AttributeKinds } = {},
  ): void {
    const outputs = typeof output === 'string' ? [output] : output
    if (domain !== undefined) this.#domains.add(domain)
    const entries = attributes instanceof Map ? [...attributes] : Object.entries(attributes)
    this.#nodes.push({
      opType,
      name: `${outputs[0]}/${opType}`,
      input,
      output: outputs,
      domain,
      attribute: entries.map(([name, value]) => encodeAttribute(name, value, kinds[name]?.kind)),
    })
  }

  /** The file: the graph's inputs and outputs as float32 tensors. */
  finish(producerVersion: string): Uint8Array {
    const value = (name: string): MessageInput<'ValueInfoProto'> => {
      const { shape } = this.#graph.values.get(name) as Value
      const dim = shape.map((size) => ({ dimValue: BigInt(size) }))
      return { name, type: { tensorType: { elemType: DATA_TYPES.float32, shape: { dim } } } }
    }
    const opset = (domain: string, version: bigint): MessageInput<'OperatorSetIdProto'> => ({ domain, version })
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: 'dyadic',
      producerVersion,
      graph: {
        name: this.#graph.name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#graph.inputs.map(value),
        output: this.#graph.outputs.map(value),
      },
      opsetImport: [
        opset('', BigInt(EXPORT_OPSET)),
        ...[...this.#domains].sort().map((domain) => opset(domain, DOMAINS[domain])),
      ],
    })
  }
}

function encodeAttribute(
  name: string,
  value: AttributeValue,
  kind: AttributeSchema['kind'] | undefined,
): MessageInput<'AttributeProto'> {
  if (typeof value === 'number')
    return kind === 'float' ? { name, type: 1, f: value } : { name, type: 2, i: BigInt(value) }
  if (typeof value === 'string') return { name, type: 3, s: UTF8.encode(value) }
  if (Array.isArray(value) && value.every((item) => typeof item === 'number'))
    return kind === 'floats' ? { name, type: 6, floats: value } : { name, type: 7, ints: value.map(BigInt) }
  throw new DyadicError('unsupported', `attribute ${quoted(name)} has a value that exports do not write`)
}
