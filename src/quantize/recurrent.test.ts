/** A network of two inputs and a state from float to integers: calibration, its methods, the plan, and the program in steps. */
import { describe, expect, it } from 'vitest'
import { alignSets } from '../data/aligned-sets.ts'
import { arrayDataSet } from '../data/array-data-set.ts'
import { findUnsupported, lower } from '../lower/lower.ts'
import { refusal } from '../lower/network.fixture.ts'
import { interpret } from '../program/interpret.ts'
import { portsOf } from '../program/manifest.ts'
import { int64, type Line, net, noise } from '../reference/fast/net.fixture.ts'
import { createFastExecutor } from '../reference/fast.ts'
import { type CalibrateOptions, calibrate } from './calibrate.ts'
import { calibrateNear } from './calibrate-near.ts'
import { carryStates } from './carry-states.ts'
import { chooseFormats } from './format-choice.ts'
import type { Plan } from './plan.ts'
import { prepare } from './prepare.ts'

const UNITS = 8
const STATE = { input: 's', output: 'next' }
const STEPS = 12

const row = (input: string, index: number): Line => ({
  operator: 'Slice',
  inputs: [input, int64(index), int64(index + 1), int64(1)],
})

/** x (1, 6) and y (1, 8); s (1, 2, 8): hidden state and cell of a recurrent layer, whose state and y make the output. */
function network(operator: 'LSTM' | 'GRU' = 'LSTM') {
  const gates = operator === 'LSTM' ? 4 : 3
  const weights = [{ shape: [1, gates * UNITS, 6] }, { shape: [1, gates * UNITS, UNITS] }]
  const cell = operator === 'LSTM' ? ['v2'] : []
  return net(
    { x: [1, 6], y: [1, UNITS], s: [1, 2, UNITS] },
    [
      { operator: 'Unsqueeze', inputs: ['x', int64(0)] },
      row('s', 0),
      row('s', 1),
      {
        ...{ operator, inputs: ['v0', ...weights, { shape: [1, 2 * gates * UNITS] }, '', 'v1', ...cell] },
        outputs: operator === 'LSTM' ? ['all', 'h', 'c'] : ['all', 'h'],
      },
      {
        operator: 'Concat',
        inputs: ['h', operator === 'LSTM' ? 'c' : 'v2'],
        outputs: ['next'],
        attributes: { axis: 1 },
      },
      { operator: 'Squeeze', inputs: ['h', int64(0)] },
      { operator: 'Add', inputs: ['v5', 'y'] },
      { operator: 'Gemm', inputs: ['v6', { shape: [UNITS, 5] }], outputs: ['scores'] },
    ],
    ['scores', 'next'],
  )
}

const reals = (count: number, seed: number) => Float32Array.from(noise(count, seed))

function samplesOf(seed: number, length = 4 * STEPS) {
  const set = (name: string, size: number, first: number) =>
    arrayDataSet({
      ...{ name, shape: [size] },
      samples: Array.from({ length }, (_, index) => reals(size, first + index)),
    })
  return alignSets(
    new Map([
      ['x', set('frames', 6, seed)],
      ['y', set('sides', UNITS, seed + 5000)],
    ]),
  )
}

const options: CalibrateOptions = { states: [STATE], sequence: STEPS }
const prepared = (operator?: 'LSTM' | 'GRU') => prepare(network(operator)).compiled

/** Decibels between both networks over one sequence, each with its own state; the program hands back integers. */
async function decibels(plan: Plan, operator: 'LSTM' | 'GRU' = 'LSTM'): Promise<number[]> {
  const graph = prepared(operator)
  const integers = lower(graph, plan)
  const executor = createFastExecutor(graph)
  const samples = samplesOf(900, STEPS)
  const state = integers.inputs.find(({ name }) => name === STATE.input)
  let real: Float32Array = new Float32Array(2 * UNITS)
  let codes = new Int16Array(2 * UNITS).fill(state?.zeroPoint[0] ?? Number.NaN)
  const sums = integers.outputs.map(() => ({ signal: 0, error: 0 }))
  for (let step = 0; step < STEPS; step++) {
    const inputs = new Map<string, Float32Array>()
    for (const [name, set] of samples.inputs) inputs.set(name, (await set.read(step)) as Float32Array)
    const wanted = executor.run(new Map<string, Float32Array>([...inputs, [STATE.input, real]]))
    const given = new Map(
      [...inputs].map(([name, values]) => {
        const { scale, zeroPoint } = plan.inputs[name]
        return [name, Int16Array.from(values, (value) => Math.floor(value / scale[0] + zeroPoint[0] + 0.5))]
      }),
    )
    const found = interpret(integers, new Map([...given, [STATE.input, codes]]))
    integers.outputs.forEach(({ name, scale, zeroPoint }, index) => {
      ;(wanted.get(name) as Float32Array).forEach((value, i) => {
        sums[index].signal += value * value
        sums[index].error += (value - ((found.get(name) as Int16Array)[i] - zeroPoint[0]) * scale[0]) ** 2
      })
    })
    real = (wanted.get(STATE.output) as Float32Array).slice()
    codes = Int16Array.from(found.get(STATE.output) as Int16Array)
  }
  return sums.map(({ signal, error }) => 10 * Math.log10(signal / error))
}

describe('states', () => {
  it('are those of the float network, zero at the start of every sequence', async () => {
    const graph = prepared()
    const samples = samplesOf(1, 6)
    const carried = await carryStates(graph, samples, { states: [STATE], sequence: 3 })
    if (!('inputs' in carried)) throw new Error('no aligned sets')
    const executor = createFastExecutor(graph)
    const at = async (name: string, index: number) => (await carried.inputs.get(name)?.read(index)) as Float32Array
    const places = new Map(Array.from({ length: 6 }, (_, index) => [Number(carried.describe(index)), index]))
    expect(places.size).toBe(6)
    let state: Float32Array = new Float32Array(2 * UNITS)
    for (let index = 0; index < 6; index++) {
      if (index === 3) state = new Float32Array(2 * UNITS)
      const place = places.get(index) as number
      expect(await at('x', place)).toEqual(await samples.inputs.get('x')?.read(index))
      expect(await at(STATE.input, place)).toEqual(state)
      const inputs = new Map<string, Float32Array>()
      for (const name of carried.inputs.keys()) inputs.set(name, await at(name, place))
      state = (executor.run(inputs).get(STATE.output) as Float32Array).slice()
    }
    expect(await carryStates(graph, carried, { states: [STATE] })).toBe(carried)
  })

  it('have one grid of 16 bits for input and output, wide enough for both, and the plan names them', async () => {
    const plan = await calibrate(prepared(), samplesOf(1), options)
    const { format, scale, zeroPoint } = plan.inputs[STATE.input]
    expect(plan.tensors[STATE.output]).toEqual({ format, scale: scale[0], zeroPoint: zeroPoint[0] })
    expect(format).toBe('s16')
    expect(plan.states).toEqual([STATE])
  })

  it('and all that is on the way between them has 16 bits', async () => {
    const { tensors } = await calibrate(prepared(), samplesOf(1), options)
    const formats = Object.entries(tensors).map(([name, { format }]) => [name, format])
    expect(formats.filter(([, format]) => format !== 's16').map(([name]) => name)).toEqual(['v6'])
  })

  it.each(['LSTM', 'GRU'] as const)(
    'of a %s stay near those of the float network over a sequence',
    async (operator) => {
      const found = await decibels(await calibrate(prepared(operator), samplesOf(1), options), operator)
      expect(Math.min(...found)).toBeGreaterThan(25)
    },
  )

  it('are there for every method', async () => {
    const methods = ['equalize', 'migrate', 'weights-mse', 'gptq', 'bias-correction'] as const
    const graph = prepared()
    for (const method of methods) {
      const plan = await calibrate(graph, samplesOf(1), { ...options, methods: [method] })
      expect(Math.min(...(await decibels(plan)))).toBeGreaterThan(25)
    }
    const near = await calibrateNear(graph, samplesOf(1), { ...options, methods: ['auto'] })
    expect(Math.min(...(await decibels(near)))).toBeGreaterThan(25)
  })

  it('are said by the program', async () => {
    const graph = prepared()
    const integers = lower(graph, await calibrate(graph, samplesOf(1), options))
    expect(integers.inputs.map(({ name, state }) => [name, state])).toEqual([
      ['x', undefined],
      ['y', undefined],
      [STATE.input, STATE.output],
    ])
    const offsets = new Map(integers.inputs.map(({ name }, index) => [name, 64 * index]))
    expect(portsOf(integers.inputs, offsets).map((port) => port.state)).toEqual([undefined, undefined, STATE.output])
  })

  it('are refused where a plan reads input and output differently, or names what is not there', async () => {
    const graph = prepared()
    const plan = await calibrate(graph, samplesOf(1), options)
    const other = { ...plan.inputs[STATE.input], scale: [plan.inputs[STATE.input].scale[0] * 1.01] }
    const { message } = refusal(() => lower(graph, { ...plan, inputs: { ...plan.inputs, [STATE.input]: other } }))
    expect(message).toMatch(/state "s" ← "next": the input has scale [\d.e-]+, the output/)
    expect(refusal(() => lower(graph, { ...plan, states: [STATE, STATE] })).message).toMatch(
      /two entries for input "s"/,
    )
    const wrong = { input: 's', output: 'nxt' }
    expect(refusal(() => lower(graph, { ...plan, states: [wrong] })).message).toMatch(/states "nxt", where "next"/)
  })

  it.each([
    [{ input: 'state', output: 'next' }, /no such input; it has "x", "y", "s"/],
    [{ input: 's', output: 'h' }, /no such output; it has "scores", "next"/],
    [{ input: 's', output: 'scores' }, /shape \[1,2,8\], the output \[1,5\]/],
  ])('are refused as %j', async (state, message) => {
    await expect(calibrate(prepared(), samplesOf(1), { states: [state] })).rejects.toThrow(message)
  })
})

describe('whole sequences', () => {
  const lstm = (attributes: Line['attributes'] = {}) =>
    prepare(
      net({ x: [4, 1, 6] }, [
        {
          ...{ operator: 'LSTM', inputs: ['x', { shape: [1, 4 * UNITS, 6] }, { shape: [1, 4 * UNITS, UNITS] }] },
          ...{ outputs: ['', 'h'], attributes },
        },
        { operator: 'Squeeze', inputs: ['h', int64(0)] },
        { operator: 'Gemm', inputs: ['v1', { shape: [UNITS, 3] }] },
      ]),
    ).compiled

  it('have 16 bits from the first step to the last', () => {
    const graph = lstm()
    const { activations } = chooseFormats(graph, { weights: 's8', activations: 'u8' })
    const values = graph.nodes.flatMap(({ outputs }) => outputs)
    const cells = values.filter((name) => /:[012]:(c|kept|new|h|gates)$/.test(name))
    expect(cells.length).toBeGreaterThan(8)
    expect(cells.slice(2, -1).map(activations)).toEqual(cells.slice(2, -1).map(() => 's16'))
    expect(findUnsupported(graph)).toEqual([])
  })

  it('that cannot be unrolled are refused with the reason', () => {
    expect(findUnsupported(lstm({ clip: 3 }))).toEqual([expect.stringMatching(/"n0" \(LSTM\): attribute "clip"/)])
  })
})

describe('several inputs', () => {
  it('want data for each', async () => {
    const graph = prepared()
    const { inputs } = samplesOf(1)
    const [x, y] = [...inputs.values()]
    await expect(calibrate(graph, x)).rejects.toThrow(/3 inputs \("x", "y", "s"\), and "frames" feeds one/)
    await expect(calibrate(graph, x, options)).rejects.toThrow(/2 inputs beside its states/)
    await expect(calibrate(graph, alignSets(new Map([['x', x]])), options)).rejects.toThrow(/lack input "y"/)
    const more = alignSets(new Map([...inputs, ['z', y]]))
    await expect(calibrate(graph, more, options)).rejects.toThrow(/are for input "z"/)
  })
})
