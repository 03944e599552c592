import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { makeGraph } from '../graph/make-graph.ts'
import { isAligned } from '../quantize/sample-parts.ts'
import { openCalibration } from './calibration-data.ts'
import { openSession } from './session.ts'

const folder = mkdtempSync(join(tmpdir(), 'dyadic-calibration-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const session = openSession(
  {
    ...{ writeOut: () => {}, writeError: () => {}, isTerminal: false, columns: 80, clock: () => 0 },
    ...{ onInterrupt: () => {}, folder, environment: {}, debug: false },
  },
  true,
)

/** `count` samples of two numbers. */
function npy(name: string, count: number): string {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}, 2), }`.padEnd(117)
  const start = Buffer.from(`\u0093NUMPY\u0001\u0000v\u0000${header}\n`, 'latin1')
  const path = join(folder, name)
  writeFileSync(path, Buffer.concat([start, Buffer.alloc(8 * count)]))
  return path
}

const graph = (inputs: readonly string[]) =>
  makeGraph({
    name: 'sums',
    inputs: inputs.map((name) => ({ name, type: 'float32', shape: [1, 2] })),
    outputs: ['y'],
    constants: {},
    nodes: [{ operator: 'Add', inputs: [inputs[0] as string, inputs.at(-1) as string], outputs: ['y'] }],
  })
const [three, four] = [npy('three.npy', 3), npy('four.npy', 4)]

describe('what --calibrate names', () => {
  it('is one set for one input, states aside, and one by name for each of several', async () => {
    expect(await openCalibration(three, graph(['a']), [], session)).toMatchObject({ length: 3 })
    const stateful = await openCalibration(three, graph(['a', 's']), [{ input: 's', output: 'y' }], session)
    expect(isAligned(stateful) && [...stateful.inputs.keys()]).toEqual(['a'])
    const both = await openCalibration(`b=${three},a=${three}`, graph(['a', 'b']), [], session)
    expect(isAligned(both) && [both.length, ...both.inputs.keys()]).toEqual([3, 'b', 'a'])
  })

  it.each([
    [three, /names no input; the network reads "a", "b": write --calibrate a=DATA,b=DATA/],
    [`a=${three}`, /names "a"; the network reads "a", "b"/],
    [`a=${three},c=${three}`, /names "a", "c"; the network reads "a", "b"/],
    [`a=${three},b=${four}`, /data of input "a" have 3 samples, those of "b" 4/],
  ])('is refused as %s', async (argument, message) => {
    await expect(openCalibration(argument, graph(['a', 'b']), [], session)).rejects.toThrow(message)
  })
})
