import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DyadicError, MAXIMUM_MESSAGE_LENGTH } from '../error.ts'
import type { Graph } from '../graph/graph.ts'
import { verifyGraph } from '../graph/verify.ts'
import { parseOnnx } from './index.ts'
import { attribute, convolutionGraph, floatValue, int64Tensor, model, node } from './small-model.fixture.ts'
import { encodeModel } from './write-wire.ts'

/** The graph, or the DyadicError; any other error fails the test. */
function outcome(bytes: Uint8Array): Graph | DyadicError {
  try {
    return parseOnnx(bytes)
  } catch (error) {
    if (!(error instanceof DyadicError)) throw error
    expect(Buffer.byteLength(error.message)).toBeLessThanOrEqual(MAXIMUM_MESSAGE_LENGTH)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a message must not have any
    expect(error.message).not.toMatch(/[\x00-\x1f\x7f]/)
    return error
  }
}

function refusal(bytes: Uint8Array): string {
  const result = outcome(bytes)
  return result instanceof DyadicError ? `${result.code}: ${result.message}` : expect.unreachable('it was accepted')
}

const text = (value: string) => new TextEncoder().encode(value)
const small = encodeModel(model(convolutionGraph()))

/** A model with many kinds of fields, for cutting and mutating. */
const variedModel = model(
  {
    name: 'varied',
    node: [
      ...convolutionGraph().node.slice(0, 1),
      node('Constant', [], ['k'], { name: 'value', type: 4, t: int64Tensor('', [1, -1]) }),
      node('Clip', ['c'], ['d'], attribute('min', { f: 0 }), attribute('max', { f: 6 })),
      node('MaxPool', ['d'], ['e'], attribute('kernel_shape', [2, 2]), attribute('auto_pad', 'SAME_UPPER')),
      node('Pad', ['e'], ['f'], attribute('pads', [0, 0, 1, 0, 0, 0, 0, 1])),
      node('Reshape', ['f', 'k'], ['y']),
    ],
    initializer: [...convolutionGraph().initializer, { name: 'typed', dataType: 3, dims: [3n], int32Data: [-1, 2, 3] }],
    input: [floatValue('x', ['N', 1, 4, 4])],
    output: [floatValue('y', [1, undefined])],
  },
  9,
)
const varied = encodeModel({ ...variedModel, producerName: 'test', metadataProps: [{ key: 'k', value: 'v' }] })
/** Where a cut only loses the metadata at the end, which leaves a complete model: protobuf has no end mark. */
const complete = encodeModel({ ...variedModel, producerName: 'test' }).length

describe('files that are no models', () => {
  it.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(0), 'refused: the model file is empty (0 bytes)'],
    [
      'text',
      text('Hello, this is a plain text file.\n'),
      'does not start like an ONNX model (protobuf): it looks like a text file',
    ],
    ['one letter', text('B'), 'looks like a text file'],
    ['text that begins like a field', text(':-) not a model at all, but long enough'), 'looks like a text file'],
    ['JSON', text('{"graph": {}}'), 'looks like a text file'],
    ['a Git LFS pointer', text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'), 'git lfs pull'],
    ['a ZIP archive', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0), 'torch.onnx.export'],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0), 'compressed with gzip'],
    ['a picture', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10), 'a picture'],
    ['WebAssembly', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), 'a WebAssembly module'],
    ['TensorFlow Lite', Uint8Array.of(0x20, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33, 0, 0), 'TensorFlow Lite'],
    ['zeros', new Uint8Array(64), 'begins with the bytes 00 00 00 00 00 00 00 00'],
    ['0xff', new Uint8Array(64).fill(0xff), 'begins with the bytes ff ff'],
    ['only a version', Uint8Array.of(8, 8), 'refused: the file has no graph'],
  ])('%s', (_, bytes, message) => {
    expect(refusal(bytes)).toContain(message)
  })
})

describe('damaged models', () => {
  it.each([
    ['small', small, small.length],
    ['varied', varied, complete],
  ])('refuses every prefix of the %s model', (_, bytes, whole) => {
    expect(outcome(bytes)).not.toBeInstanceOf(DyadicError)
    for (let length = 0; length < bytes.length; length++) {
      const accepted = !(outcome(bytes.subarray(0, length)) instanceof DyadicError)
      if (accepted !== (length === whole)) expect.unreachable(`${length} of ${bytes.length} bytes: ${accepted}`)
    }
  })

  it('refuses two models in one file', () => {
    expect(refusal(Uint8Array.from([...small, ...small]))).toContain('in ModelProto.graph: the field is given twice')
  })

  it('refuses invalid UTF-8 in names', () => {
    const bytes = small.slice()
    const at = Buffer.from(bytes).indexOf('small')
    bytes[at] = 0xff
    expect(refusal(bytes)).toBe(
      `refused: malformed ONNX file at byte ${at}, in GraphProto.name: text is not valid UTF-8`,
    )
  })

  it('refuses lengths and numbers beyond all bounds', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
    expect(refusal(Uint8Array.of(8, 8, 0x3a, ...huge))).toContain('goes beyond the end')
    expect(refusal(Uint8Array.of(8, ...huge.slice(0, 9), 0x7f))).toContain('larger than 64 bits')
    expect(refusal(Uint8Array.of(8, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x07))).toContain('goes beyond the end')
  })

  it('gives a legal graph or a DyadicError for any change of bytes', () => {
    const change = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), at: fc.nat(), value: fc.nat(255) }),
      fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), value: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), value: fc.nat(255) }),
      fc.record({ kind: fc.constant('copy' as const), at: fc.nat(), value: fc.nat() }),
    )
    let accepted = 0
    fc.assert(
      fc.property(
        fc.constantFrom(small, varied),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (original, changes) => {
          const bytes = [...original]
          for (const { kind, at, value } of changes) {
            const place = at % bytes.length
            if (kind === 'set') bytes[place] = value
            else if (kind === 'remove') bytes.splice(place, value)
            else if (kind === 'insert') bytes.splice(place, 0, value)
            else bytes.splice(place, 8, ...bytes.slice(value % bytes.length, (value % bytes.length) + 8))
          }
          const result = outcome(Uint8Array.from(bytes))
          if (result instanceof DyadicError) return
          accepted++
          verifyGraph(result, 'reading')
        },
      ),
      { numRuns: 6000 },
    )
    expect(accepted).toBeGreaterThan(50)
  })

  it('gives a legal graph or a DyadicError for every single byte set to an edge value', () => {
    for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff])
      for (let at = 0; at < varied.length; at++) {
        const bytes = varied.slice()
        bytes[at] = value
        outcome(bytes)
      }
  })
})

describe('bombs', () => {
  /** Milliseconds of processor time: what others do on the machine does not count. */
  const timed = (act: () => unknown): number => {
    const start = process.cpuUsage()
    act()
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1000
  }
  /** What is not bounded takes minutes. */
  const BOUND = 6000
  const wrapped = (graph: Uint8Array) => {
    const length = graph.length
    return Buffer.concat([
      Uint8Array.of(8, 8, 0x42, 2, 0x10, 13),
      Uint8Array.of(
        0x3a,
        (length & 127) | 128,
        ((length >> 7) & 127) | 128,
        ((length >> 14) & 127) | 128,
        length >> 21,
      ),
      graph,
    ])
  }

  it.each([
    ['nodes', 0x0a, 'more than 2000000 nodes'],
    ['initializers', 0x2a, 'more than 1000000 messages'],
    ['inputs', 0x5a, 'more than 1000000 messages'],
  ])('10 MB of empty %s end at the limit in bounded time', (_, tag, message) => {
    const graph = new Uint8Array(10_000_000)
    for (let i = 0; i < graph.length; i += 2) graph[i] = tag
    const bytes = wrapped(graph)
    expect(timed(() => expect(refusal(bytes)).toContain(`limit: the ONNX file has ${message}`))).toBeLessThan(BOUND)
  })

  it('10 MB of unknown fields are passed over in bounded time', () => {
    const graph = new Uint8Array(10_000_000)
    for (let i = 0; i < graph.length; i += 2) graph[i] = 0x78
    expect(timed(() => refusal(wrapped(graph)))).toBeLessThan(BOUND)
  })

  it('a chain of 100,000 nodes is read in bounded time, and a cycle as long is found', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => node('Relu', [`v${i}`], [`v${i + 1}`]))
    const graph = { node: chain, input: [floatValue('v0', [4])], output: [floatValue('v100000', [4])] }
    const bytes = encodeModel(model(graph))
    expect(timed(() => expect(outcome(bytes)).not.toBeInstanceOf(DyadicError))).toBeLessThan(5000)
    const cyclic = encodeModel(model({ ...graph, node: [node('Relu', ['v100000'], ['v1']), ...chain.slice(1)] }))
    expect(refusal(cyclic)).toContain('the graph has a cycle of 100000 nodes')
  })

  it('shapes that multiply beyond all memory are refused without being allocated', () => {
    const graph = {
      node: [node('Add', ['a', 'b'], ['y'])],
      input: [floatValue('a', [2 ** 20, 1, 2 ** 10]), floatValue('b', [1, 2 ** 20, 1])],
      output: [floatValue('y', [])],
    }
    expect(refusal(encodeModel(model(graph)))).toMatch(/^limit: .*"y"/)
  })
})
