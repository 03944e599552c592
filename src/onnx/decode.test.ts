import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fromBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { type AttributeProto, type GraphProto, ModelProtoSchema, type TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { decodeModel } from './decode.ts'
import { defaultLimits } from './limits.ts'
import { type FieldSchema, type Message, type MessageInput, SCHEMA } from './schema.ts'
import { convolutionGraph, model } from './small-model.fixture.ts'
import { WIRE_BYTES, WIRE_VARINT } from './wire.ts'
import { encodeModel, WireWriter } from './write-wire.ts'

const decode = (bytes: Uint8Array) => decodeModel(bytes, defaultLimits)

/** Raw fields, written one after another. */
function raw(...fields: [number: number, wireType: number, value: bigint | Uint8Array][]): Uint8Array {
  const writer = new WireWriter()
  for (const [number, wireType, value] of fields) {
    writer.tag(number, wireType)
    if (typeof value === 'bigint') writer.varint(value)
    else writer.byteString(value)
  }
  return writer.finish()
}

function concatenated(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

describe('the schema', () => {
  it('names only messages and scalars that exist, each field once', () => {
    const scalars = ['int32', 'int64', 'uint64', 'float', 'double', 'string', 'bytes']
    for (const fields of Object.values(SCHEMA)) {
      const entries = Object.values(fields) as FieldSchema[]
      expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length)
      for (const { kind } of entries) expect(scalars.includes(kind) || kind in SCHEMA).toBe(true)
    }
  })
})

describe('round trip', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 })
  const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
  const tensor = fc.record(
    {
      name: text,
      dataType: fc.integer(),
      dims: fc.array(int64, { maxLength: 4 }),
      rawData: fc.uint8Array({ maxLength: 40 }),
      floatData: fc.array(fc.float(), { maxLength: 9 }),
      doubleData: fc.array(fc.double(), { maxLength: 9 }),
      int32Data: fc.array(fc.integer(), { maxLength: 9 }),
      int64Data: fc.array(int64, { maxLength: 9 }),
      uint64Data: fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { maxLength: 9 }),
      stringData: fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 3 }),
    },
    { requiredKeys: [] },
  )
  const attribute = fc.record(
    {
      name: text,
      type: fc.integer(),
      f: fc.float(),
      i: int64,
      s: fc.uint8Array({ maxLength: 9 }),
      t: tensor,
      ints: fc.array(int64),
    },
    { requiredKeys: [] },
  )
  const graph = fc.record(
    {
      name: text,
      node: fc.array(
        fc.record(
          { opType: text, input: fc.array(text), output: fc.array(text), attribute: fc.array(attribute) },
          { requiredKeys: [] },
        ),
        { maxLength: 5 },
      ),
      initializer: fc.array(tensor, { maxLength: 4 }),
    },
    { requiredKeys: [] },
  )

  it('decodes what was encoded, and encodes equal bytes again', () => {
    fc.assert(
      fc.property(fc.record({ irVersion: int64, graph }, { requiredKeys: [] }), (message) => {
        const bytes = encodeModel(message)
        const decoded = decode(bytes)
        expect(encodeModel(decoded)).toEqual(bytes)
        expect(decoded.irVersion).toBe(message.irVersion)
        expect(decoded.graph?.node.length).toBe(
          message.graph === undefined ? undefined : (message.graph.node ?? []).length,
        )
        message.graph?.initializer?.forEach((expected, index) => {
          const found = decoded.graph?.initializer[index] as Message<'TensorProto'>
          for (const key of ['dims', 'floatData', 'doubleData', 'int32Data', 'int64Data', 'uint64Data'] as const)
            expect(Array.from(found[key] as ArrayLike<unknown>)).toEqual(expected[key] ?? [])
          expect(found.rawData).toEqual(expected.rawData)
          expect(found.name).toBe(expected.name)
        })
      }),
      { numRuns: 200 },
    )
  })

  it('keeps byte fields as views into the file', () => {
    const bytes = encodeModel(model(convolutionGraph()))
    const weights = decode(bytes).graph?.initializer[0].rawData as Uint8Array
    expect(weights.buffer).toBe(bytes.buffer)
    expect(weights.byteLength).toBe(2 * 9 * 4)
  })
})

describe("protobuf's rules", () => {
  it('takes the last of repeated singular scalars', () => {
    expect(decode(raw([1, WIRE_VARINT, 3n], [1, WIRE_VARINT, 8n])).irVersion).toBe(8n)
  })

  it('takes packed and unpacked lists, mixed', () => {
    const packed = concatenated(
      raw([1, WIRE_BYTES, Uint8Array.of(1, 2)]),
      raw([1, WIRE_VARINT, 3n]),
      raw([1, WIRE_BYTES, Uint8Array.of(4)]),
    )
    const bytes = raw([7, WIRE_BYTES, raw([5, WIRE_BYTES, packed])])
    expect(decode(bytes).graph?.initializer[0].dims).toEqual(BigInt64Array.of(1n, 2n, 3n, 4n))
  })

  it('takes float lists in several pieces', () => {
    const piece = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
    const tensor = raw([4, WIRE_BYTES, piece(1, 2)], [4, WIRE_BYTES, piece()], [4, WIRE_BYTES, piece(3, 4, 5, 6, 7)])
    const bytes = raw([7, WIRE_BYTES, raw([5, WIRE_BYTES, tensor])])
    expect(decode(bytes).graph?.initializer[0].floatData).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6, 7))
  })

  it('passes over unknown fields of every wire type, and counts them', () => {
    const unknown = Uint8Array.of(
      ...[0x98, 0x06, 0xff, 0x01], // field 99, varint
      ...[0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8], // fixed64
      ...[0x9a, 0x06, 2, 0xff, 0xff], // bytes
      ...[0x9d, 0x06, 1, 2, 3, 4], // fixed32
    )
    const bytes = concatenated(unknown, raw([1, WIRE_VARINT, 8n]))
    expect(decode(bytes).irVersion).toBe(8n)
    expect(() => decodeModel(bytes, { ...defaultLimits, fields: 4 })).toThrow('more than 4 fields')
    for (const end of [1, 2, 3, 5, 9, 15, 17, 22]) expect(() => decode(bytes.subarray(0, end))).toThrow('truncated?')
  })

  it('refuses what hides damage', () => {
    const graph = raw([2, WIRE_BYTES, new TextEncoder().encode('g')])
    expect(() => decode(raw([7, WIRE_BYTES, graph], [7, WIRE_BYTES, graph]))).toThrow(
      'malformed ONNX file at byte 5, in ModelProto.graph: the field is given twice; are several files concatenated?',
    )
    expect(() => decode(raw([7, WIRE_VARINT, 1n]))).toThrow('the field is encoded as varint, not length-delimited')
    expect(() => decode(raw([1, WIRE_BYTES, graph]))).toThrow('the field is encoded as length-delimited, not varint')
    const floats = raw([7, WIRE_BYTES, raw([5, WIRE_BYTES, raw([4, WIRE_BYTES, new Uint8Array(6)])])])
    expect(() => decode(floats)).toThrow('6 packed bytes are no multiple of 4')
    const cut = raw([7, WIRE_BYTES, raw([5, WIRE_BYTES, raw([1, WIRE_BYTES, Uint8Array.of(1, 0x80)])])])
    expect(() => decode(concatenated(cut, Uint8Array.of(1)))).toThrow(
      'in TensorProto.dims: a varint goes beyond the end',
    )
  })

  it('follows subgraphs to the limit of depth', () => {
    let graph: MessageInput<'GraphProto'> = { name: 'innermost' }
    for (let i = 0; i < 30; i++) graph = { node: [{ attribute: [{ name: 'body', type: 5, g: graph }] }] }
    expect(() => decode(encodeModel({ graph }))).toThrow('nested deeper than 64 (limit "depth")')
    expect(decodeModel(encodeModel({ graph }), { ...defaultLimits, depth: 92 }).graph?.node.length).toBe(1)
  })
})

describe('onnx-buf as oracle', () => {
  const folder = new URL('../../../shared/models/', import.meta.url)
  const found = existsSync(folder)

  it('is given the shared models in continuous integration', () => {
    if (!found) console.warn('the shared models are not here: the decoder is not compared with onnx-buf on real files')
    if (process.env.CI === 'true') expect(found).toBe(true)
  })

  const files = found
    ? (readdirSync(folder, { recursive: true }) as string[]).filter((file) => file.endsWith('.onnx')).sort()
    : []
  it.each(files)('agrees on %s', (file) => {
    const bytes = readFileSync(new URL(file, folder))
    const ours = decode(bytes)
    const oracle = fromBinary(ModelProtoSchema, bytes)
    expect(ours.irVersion).toBe(oracle.irVersion)
    expect(ours.opsetImport.map(({ domain = '', version }) => [domain, version])).toEqual(
      oracle.opsetImport.map(({ domain, version }) => [domain, version]),
    )
    compareGraphs(ours.graph as Message<'GraphProto'>, oracle.graph as GraphProto)
  })
})

function same(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

function compareGraphs(ours: Message<'GraphProto'>, oracle: GraphProto): void {
  expect(ours.name ?? '').toBe(oracle.name)
  expect(
    ours.node.map(({ opType, domain, name, input, output }) => [opType ?? '', domain ?? '', name ?? '', input, output]),
  ).toEqual(oracle.node.map(({ opType, domain, name, input, output }) => [opType, domain, name, input, output]))
  ours.node.forEach(({ attribute }, index) => {
    expect(attribute.length).toBe(oracle.node[index].attribute.length)
    attribute.forEach((found, i) => {
      compareAttributes(found, oracle.node[index].attribute[i])
    })
  })
  expect(ours.initializer.length).toBe(oracle.initializer.length)
  ours.initializer.forEach((found, index) => {
    compareTensors(found, oracle.initializer[index])
  })
  for (const role of ['input', 'output', 'valueInfo'] as const)
    expect(
      ours[role].map(({ name = '', type }) => [
        name,
        type?.tensorType?.elemType,
        type?.tensorType?.shape?.dim.map(({ dimValue, dimParam }) => dimValue ?? dimParam),
      ]),
    ).toEqual(
      oracle[role].map(({ name, type }) => {
        const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined
        return [name, tensor?.elemType, tensor?.shape?.dim.map(({ value }) => value.value)]
      }),
    )
}

function compareAttributes(ours: Message<'AttributeProto'>, oracle: AttributeProto): void {
  expect([ours.name, ours.type, ours.f ?? 0, ours.i ?? 0n]).toEqual([oracle.name, oracle.type, oracle.f, oracle.i])
  expect(same(ours.s ?? new Uint8Array(0), oracle.s)).toBe(true)
  expect(Array.from(ours.ints)).toEqual(oracle.ints)
  expect(Array.from(ours.floats)).toEqual(oracle.floats)
  expect(ours.strings.length).toBe(oracle.strings.length)
  expect(ours.g === undefined).toBe(oracle.g === undefined)
  expect(ours.t === undefined).toBe(oracle.t === undefined)
  if (ours.g !== undefined) compareGraphs(ours.g, oracle.g as GraphProto)
  if (ours.t !== undefined) compareTensors(ours.t, oracle.t as TensorProto)
}

function compareTensors(ours: Message<'TensorProto'>, oracle: TensorProto): void {
  expect([ours.name ?? '', ours.dataType, Array.from(ours.dims)]).toEqual([oracle.name, oracle.dataType, oracle.dims])
  expect(same(ours.rawData ?? new Uint8Array(0), oracle.rawData)).toBe(true)
  for (const list of ['floatData', 'int32Data', 'int64Data', 'doubleData', 'uint64Data'] as const)
    expect(Array.from<unknown>(ours[list])).toEqual(oracle[list])
}
