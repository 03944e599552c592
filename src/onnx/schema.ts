/**
 * The ONNX protobuf messages as data: field numbers, names and kinds, from onnx.proto (IR version 13). One decoder and
 * one encoder are driven by this table, and the TypeScript type of every message follows from it. Fields that are not
 * listed (documentation strings, annotations, sharding …) have no meaning for inference and are passed over unread.
 */

/** What a scalar field holds: its wire encoding and its value in JavaScript. */
export interface Scalars {
  int32: number
  int64: bigint
  uint64: bigint
  float: number
  double: number
  string: string
  bytes: Uint8Array
}

/** What a repeated scalar field holds. */
interface ScalarLists {
  int32: Int32Array
  int64: BigInt64Array
  uint64: BigUint64Array
  float: Float32Array
  double: Float64Array
  string: readonly string[]
  bytes: readonly Uint8Array[]
}

export type ScalarKind = keyof Scalars

export interface FieldSchema {
  readonly name: string
  /** A scalar kind or the name of a message of {@link SCHEMA}. */
  readonly kind: string
  readonly repeated?: true
}

/** Messages by name; fields by number. */
export const SCHEMA = {
  ModelProto: {
    1: { name: 'irVersion', kind: 'int64' },
    2: { name: 'producerName', kind: 'string' },
    3: { name: 'producerVersion', kind: 'string' },
    4: { name: 'domain', kind: 'string' },
    5: { name: 'modelVersion', kind: 'int64' },
    6: { name: 'docString', kind: 'string' },
    7: { name: 'graph', kind: 'GraphProto' },
    8: { name: 'opsetImport', kind: 'OperatorSetIdProto', repeated: true },
    14: { name: 'metadataProps', kind: 'StringStringEntryProto', repeated: true },
    25: { name: 'functions', kind: 'FunctionProto', repeated: true },
  },
  OperatorSetIdProto: {
    1: { name: 'domain', kind: 'string' },
    2: { name: 'version', kind: 'int64' },
  },
  StringStringEntryProto: {
    1: { name: 'key', kind: 'string' },
    2: { name: 'value', kind: 'string' },
  },
  FunctionProto: {
    1: { name: 'name', kind: 'string' },
    4: { name: 'input', kind: 'string', repeated: true },
    5: { name: 'output', kind: 'string', repeated: true },
    6: { name: 'attribute', kind: 'string', repeated: true },
    7: { name: 'node', kind: 'NodeProto', repeated: true },
    9: { name: 'opsetImport', kind: 'OperatorSetIdProto', repeated: true },
    10: { name: 'domain', kind: 'string' },
    11: { name: 'attributeProto', kind: 'AttributeProto', repeated: true },
    13: { name: 'overload', kind: 'string' },
  },
  GraphProto: {
    1: { name: 'node', kind: 'NodeProto', repeated: true },
    2: { name: 'name', kind: 'string' },
    5: { name: 'initializer', kind: 'TensorProto', repeated: true },
    11: { name: 'input', kind: 'ValueInfoProto', repeated: true },
    12: { name: 'output', kind: 'ValueInfoProto', repeated: true },
    13: { name: 'valueInfo', kind: 'ValueInfoProto', repeated: true },
    15: { name: 'sparseInitializer', kind: 'SparseTensorProto', repeated: true },
  },
  NodeProto: {
    1: { name: 'input', kind: 'string', repeated: true },
    2: { name: 'output', kind: 'string', repeated: true },
    3: { name: 'name', kind: 'string' },
    4: { name: 'opType', kind: 'string' },
    5: { name: 'attribute', kind: 'AttributeProto', repeated: true },
    7: { name: 'domain', kind: 'string' },
    8: { name: 'overload', kind: 'string' },
  },
  AttributeProto: {
    1: { name: 'name', kind: 'string' },
    2: { name: 'f', kind: 'float' },
    3: { name: 'i', kind: 'int64' },
    4: { name: 's', kind: 'bytes' },
    5: { name: 't', kind: 'TensorProto' },
    6: { name: 'g', kind: 'GraphProto' },
    7: { name: 'floats', kind: 'float', repeated: true },
    8: { name: 'ints', kind: 'int64', repeated: true },
    9: { name: 'strings', kind: 'bytes', repeated: true },
    10: { name: 'tensors', kind: 'TensorProto', repeated: true },
    11: { name: 'graphs', kind: 'GraphProto', repeated: true },
    14: { name: 'tp', kind: 'TypeProto' },
    15: { name: 'typeProtos', kind: 'TypeProto', repeated: true },
    20: { name: 'type', kind: 'int32' },
    21: { name: 'refAttrName', kind: 'string' },
    22: { name: 'sparseTensor', kind: 'SparseTensorProto' },
    23: { name: 'sparseTensors', kind: 'SparseTensorProto', repeated: true },
  },
  TensorProto: {
    1: { name: 'dims', kind: 'int64', repeated: true },
    2: { name: 'dataType', kind: 'int32' },
    3: { name: 'segment', kind: 'bytes' },
    4: { name: 'floatData', kind: 'float', repeated: true },
    5: { name: 'int32Data', kind: 'int32', repeated: true },
    6: { name: 'stringData', kind: 'bytes', repeated: true },
    7: { name: 'int64Data', kind: 'int64', repeated: true },
    8: { name: 'name', kind: 'string' },
    9: { name: 'rawData', kind: 'bytes' },
    10: { name: 'doubleData', kind: 'double', repeated: true },
    11: { name: 'uint64Data', kind: 'uint64', repeated: true },
    13: { name: 'externalData', kind: 'StringStringEntryProto', repeated: true },
    14: { name: 'dataLocation', kind: 'int32' },
  },
  /** Only what is needed to refuse it by name. */
  SparseTensorProto: {
    1: { name: 'values', kind: 'TensorProto' },
  },
  ValueInfoProto: {
    1: { name: 'name', kind: 'string' },
    2: { name: 'type', kind: 'TypeProto' },
  },
  /** Kinds of types other than dense tensors are kept as unread bytes, to be refused. */
  TypeProto: {
    1: { name: 'tensorType', kind: 'TensorTypeProto' },
    4: { name: 'sequenceType', kind: 'bytes' },
    5: { name: 'mapType', kind: 'bytes' },
    7: { name: 'opaqueType', kind: 'bytes' },
    8: { name: 'sparseTensorType', kind: 'bytes' },
    9: { name: 'optionalType', kind: 'bytes' },
  },
  TensorTypeProto: {
    1: { name: 'elemType', kind: 'int32' },
    2: { name: 'shape', kind: 'TensorShapeProto' },
  },
  TensorShapeProto: {
    1: { name: 'dim', kind: 'DimensionProto', repeated: true },
  },
  DimensionProto: {
    1: { name: 'dimValue', kind: 'int64' },
    2: { name: 'dimParam', kind: 'string' },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<number, FieldSchema>>>>

export type MessageName = keyof typeof SCHEMA

type FieldOf<M extends MessageName> = Extract<(typeof SCHEMA)[M][keyof (typeof SCHEMA)[M]], FieldSchema>

type Decoded<F extends FieldSchema> = F extends { repeated: true }
  ? F['kind'] extends ScalarKind
    ? ScalarLists[F['kind']]
    : F['kind'] extends MessageName
      ? readonly Message<F['kind']>[]
      : never
  : F['kind'] extends ScalarKind
    ? Scalars[F['kind']] | undefined
    : F['kind'] extends MessageName
      ? Message<F['kind']> | undefined
      : never

/** A decoded message: repeated fields are lists, absent singular fields are `undefined`. */
export type Message<M extends MessageName> = { readonly [F in FieldOf<M> as F['name']]: Decoded<F> }

type Encodable<F extends FieldSchema> = F extends { repeated: true }
  ? F['kind'] extends ScalarKind
    ? Iterable<Scalars[F['kind']]>
    : F['kind'] extends MessageName
      ? Iterable<MessageInput<F['kind']>>
      : never
  : F['kind'] extends ScalarKind
    ? Scalars[F['kind']]
    : F['kind'] extends MessageName
      ? MessageInput<F['kind']>
      : never

/** A message to encode: every field may be missing. A decoded message is one. */
export type MessageInput<M extends MessageName> = {
  readonly [F in FieldOf<M> as F['name']]?: Encodable<F> | undefined
}
