import { describe, expect, it } from 'vitest'
import type { ExternalReader } from './external-data.ts'
import { failureOf, type GraphChange, parseChanged } from './small-model.fixture.ts'

/** The bias of the small network outside the file. */
const outside =
  (entries: Readonly<Record<string, string>>): GraphChange =>
  (graph) => {
    graph.initializer[1] = {
      name: 'b',
      dataType: 1,
      dims: [2n],
      dataLocation: 1,
      externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    }
  }

describe('external data', () => {
  it('is asked for by its checked path, offset and length', () => {
    const asked: unknown[] = []
    const external: ExternalReader = (...question) => {
      asked.push(question)
      return new Uint8Array(Float32Array.of(3, 4).buffer)
    }
    const graph = parseChanged(outside({ location: './a/./b.bin', offset: '16', length: '8' }), { external })
    expect(asked).toEqual([['a/b.bin', 16, 8, 'initializer "b"']])
    expect(new Float32Array(graph.constants.get('b')?.bytes.slice().buffer as ArrayBuffer)).toEqual(
      Float32Array.of(3, 4),
    )
  })

  it('is unsupported without a reader', () => {
    const failure = failureOf(() => parseChanged(outside({ location: 'b.bin' })))
    expect(failure.code).toBe('unsupported')
    expect(failure.message).toContain('file "b.bin"')
  })

  it('is limited in all', () => {
    const external: ExternalReader = () => new Uint8Array(8)
    const failure = failureOf(() =>
      parseChanged(outside({ location: 'b.bin' }), { external, limits: { externalBytes: 7 } }),
    )
    expect(failure).toEqual({ code: 'limit', message: expect.stringContaining('(limit "externalBytes")') })
  })
})
