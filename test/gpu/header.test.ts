/** A `.gpu` file is untrusted: what its header says is checked by value before a device is asked for anything. */
import { describe, expect, it } from 'vitest'
import { emitGpuProgram } from '../../src/gpu/emit.ts'
import { createRandom } from '../../src/program/program.fixture.ts'
import { createBuilder } from '../../src/program/random-graph.fixture.ts'
import { GpuError, load } from '../../src/runtime/gpu/index.ts'
import { writeGpuProgram } from '../../src/runtime/gpu/program.ts'
import { readGpuProgram } from '../../src/runtime/gpu/read-program.ts'

const builder = createBuilder('hostile', createRandom(3))
const input = builder.add(builder.input(4, 4, 8), builder.constant(4, 4, 8))
const window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const
builder.output(builder.convolution(input, { outputs: 8, window }))
builder.output(builder.lookup(builder.indices(4, 6), 5, 1))
const program = emitGpuProgram(builder.graph())
const { constants } = program
// Shaders are most of a file; their text is the device's to judge.
const text = JSON.stringify({ ...program.header, shaders: program.header.shaders.map((one) => ({ ...one, code: '' })) })

type Step = string | number
/** The header, in which `path` is `value`, or absent. */
function fileWith(path: readonly Step[], value: unknown): Uint8Array {
  const header = JSON.parse(text)
  const last = path.at(-1) as Step
  let parent = header
  for (const step of path.slice(0, -1)) parent = parent[step]
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return writeGpuProgram({ header, constants })
}

function refusal(file: Uint8Array): GpuError | undefined {
  try {
    readGpuProgram(file)
  } catch (error) {
    if (error instanceof GpuError && error.failure === 'program') return error
    throw error
  }
  return undefined
}

const { arenaBytes, constantBytes, dispatches, shaders, probes } = program.header
const product = dispatches.findIndex(({ family }) => family.startsWith('dense'))

describe('the header of a GPU program', () => {
  it('is read back', () => {
    expect(readGpuProgram(writeGpuProgram(program))).toEqual(program)
    expect([probes.length, program.header.initial.length]).toEqual([1, 1])
  })

  it.each<readonly [string, readonly Step[], unknown, RegExp]>([
    ['no outputs', ['outputs'], [], /outputs\.length is 0/],
    ['another schema', ['schema'], 2, /schema 2, this runtime reads 1/],
    ['an arena of no bytes', ['arenaBytes'], 0, /arenaBytes is 0/],
    ['an arena beyond 32 bits', ['arenaBytes'], 2 ** 31, /arenaBytes is 2147483648/],
    ['an arena smaller than its ports', ['arenaBytes'], 16, /inputs\[0\]\.imageBytes is 128, not .* in 4 … 16/],
    ['constants that are not there', ['constantBytes'], constantBytes + 16, /its header says/],
    ['a port of another format', ['inputs', 0, 'format'], 'f32', /inputs\[0\]\.format is "f32"/],
    ['a format of the prototype', ['inputs', 0, 'format'], 'constructor', /inputs\[0\]\.format is "constructor"/],
    ['an input outside the arena', ['inputs', 0, 'offset'], arenaBytes, /inputs\[0\]\.imageBytes is/],
    ['an output outside the arena', ['outputs', 0, 'offset'], arenaBytes - 4, /outputs\[0\]\.imageBytes is/],
    ['an offset between words', ['outputs', 0, 'offset'], 2, /outputs\[0\]\.offset is 2, not a multiple of 4/],
    ['images that are too short', ['inputs', 0, 'imageBytes'], 4, /inputs\[0\]\.imageBytes is 4/],
    ['a count of another shape', ['inputs', 0, 'count'], 64, /count is 64, not 128, the product of its shape/],
    ['a size that is none', ['inputs', 0, 'shape', 1], -8, /inputs\[0\]\.shape\[1\] is -8/],
    ['sizes beyond all memory', ['inputs', 0, 'shape'], new Array(40).fill(2 ** 30), /count is 128/],
    ['two inputs of a name', ['inputs', 1, 'name'], 'x0', /inputs\[1\]\.name is "x0", not a name of its own/],
    ['a range turned round', ['inputs', 1, 'range'], { low: 5, high: 0 }, /inputs\[1\]\.range\.high is 0/],
    ['a range beyond the format', ['inputs', 0, 'range'], { low: 0, high: 256 }, /range\.high is 256/],
    ['a scale that is no number', ['inputs', 0, 'scale', 0], '1', /inputs\[0\]\.scale\[0\] is "1"/],
    ['two shaders of a name', ['shaders', 1, 'name'], shaders[0].name, /shaders\[1\]\.name .* name of its own/],
    ['a level of its own', ['shaders', 0, 'level'], 'fast', /shaders\[0\]\.level is "fast"/],
    ['a tile of nothing', ['shaders', 0, 'tile', 0], 0, /shaders\[0\]\.tile\[0\] is 0/],
    ['a tile of two axes', ['shaders', 0, 'tile'], [8, 8], /shaders\[0\]\.tile\.length is 2/],
    ['no threads', ['shaders', 0, 'threads'], 0, /shaders\[0\]\.threads is 0/],
    [
      'an override beyond the words',
      ['shaders', 0, 'overrides'],
      { count: 64 },
      /shaders\[0\]\.overrides\.count is 64/,
    ],
    ['overrides that are a list', ['shaders', 0, 'overrides'], [1], /shaders\[0\]\.overrides is object/],
    [
      'words that an override misses',
      ['dispatches', product, 'words'],
      [],
      /words\.length is 0, not an integer in [1-9]/,
    ],
    ['a shader without text', ['shaders', 0, 'code'], undefined, /shaders\[0\]\.code is absent/],
    ['a family without shaders', ['dispatches', 0, 'family'], 'none', /dispatches\[0\]\.family is "none"/],
    ['words beyond 256 bytes', ['dispatches', 0, 'words'], new Array(65).fill(0), /words\.length is 65.* 0 … 64/],
    ['words beyond 32 bits', ['dispatches', 0, 'words', 0], 2 ** 31, /dispatches\[0\]\.words\[0\] is 2147483648/],
    ['more scaled words than words', ['dispatches', 0, 'scaled'], 60, /dispatches\[0\]\.scaled is 60/],
    ['no work', ['dispatches', 0, 'extent', 0], 0, /dispatches\[0\]\.extent\[0\] is 0/],
    ['work without an end', ['dispatches', 0, 'extent', 0], 1e300, /dispatches\[0\]\.extent\[0\] is 1e\+300/],
    ['a batch along x', ['dispatches', 0, 'batchAxis'], 0, /dispatches\[0\]\.batchAxis is 0/],
    ['a constant outside the arena', ['initial', 0, 'offset'], arenaBytes, /initial\[0\]\.bytes is/],
    ['a constant outside the constants', ['initial', 0, 'constants'], constantBytes, /initial\[0\]\.bytes is/],
    ['a probe outside the constants', ['probes', 0, 'constants', 'at'], constantBytes, /constants\.bytes is/],
    ['a probe without constants', ['probes', 0, 'constants'], undefined, /probes\[0\]\.constants\.at is absent/],
    ['an answer outside its arena', ['probes', 0, 'output', 'offset'], 2 ** 30, /probes\[0\]\.output\.offset is/],
    ['an answer of no bytes', ['probes', 0, 'output', 'bytes'], 0, /probes\[0\]\.output\.bytes is 0/],
    ['an answer outside its constants', ['probes', 0, 'output', 'constants'], 2 ** 30, /output\.constants is/],
    ['a list with a hole', ['dispatches', 0], null, /dispatches\[0\] is null/],
  ])('is refused with %s', async (_, path, value, message) => {
    const file = fileWith(path, value)
    expect(refusal(file)?.message).toMatch(message)
    const never = { requestAdapter: () => Promise.reject(new Error('the device was asked')) } as unknown as GPU
    await expect(load(file, { gpu: never })).rejects.toMatchObject({ failure: 'program' })
  })

  it('is refused with anything else in any place, but where the place takes it', () => {
    /** Integers of either sign, and numbers. */
    const signed = /\.(words|zeroPoint|scale)\.\d+$|\.range\.low$/
    const fraction = /\.(zeroPoint|scale)\.\d+$/
    const free = /^\.name$|\.name$|\.code$|\.families\.\d+$|\.family$/
    const optional = /\.range$|^\.inputs\.\d+\.range|\.overrides\.|\.depth$/
    const accepted: string[] = []
    const visit = (value: unknown, path: readonly Step[]): void => {
      const place = path.map((step) => `.${step}`).join('')
      // Elements of long lists are alike.
      const numbered = path.findLast((step) => typeof step === 'number')
      if (typeof numbered === 'number' && numbered > 2) return
      if (path.length > 0) {
        const others = [null, true, 'other', '', [], {}, -1, 0.5, 2 ** 53, 1e300].filter(
          (other) => JSON.stringify(other) !== JSON.stringify(value),
        )
        for (const other of others) {
          const error = refusal(fileWith(path, other))
          const allowed =
            (place.endsWith('.overrides') && JSON.stringify(other) === '{}') ||
            (signed.test(place) && other === -1) ||
            (fraction.test(place) && typeof other === 'number') ||
            (free.test(place) && typeof other === 'string') ||
            (Array.isArray(other) && !/\.(extent|tile|shape)$|^\.(outputs|shaders)$/.test(place))
          if (error === undefined && !allowed) accepted.push(`${place} = ${JSON.stringify(other)}`)
        }
        if (
          Number.isNaN(Number(path.at(-1))) &&
          !optional.test(place) &&
          refusal(fileWith(path, undefined)) === undefined
        )
          accepted.push(`${place} absent`)
      }
      if (typeof value === 'object' && value !== null)
        for (const [key, item] of Object.entries(value))
          visit(item, [...path, Array.isArray(value) ? Number(key) : key])
    }
    const { shaders: some, ...rest } = JSON.parse(text)
    visit(rest, [])
    visit(some[0], ['shaders', 0])
    expect(accepted).toEqual([])
  })
})
