/** Counts of networks that are really there, as files; and the memory that a program of them has. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { planBits, uniformBits } from '../../src/cost/bit-widths.ts'
import { countNetwork } from '../../src/cost/count.ts'
import { nominalPlan, programMemory } from '../../src/cost/program-memory.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { parseOnnx } from '../../src/onnx/index.ts'
import { prepare } from '../../src/quantize/prepare.ts'
import { allocationLayers } from '../../src/search/allocation-layers.ts'
import { paretoFront } from '../../src/search/pareto-front.ts'
import { hasShared, readShared } from './real-files.ts'

const W8A8 = uniformBits(8, 8)
const open = (path: string): Graph => prepare(parseOnnx(readShared(`models/${path}.onnx`))).compiled

describe.skipIf(!hasShared())('real networks', () => {
  /** Published parameters with normalisation, and its channels: folding leaves one bias for scale and shift. */
  it.each<[path: string, published: number, normalised: number, macs: number]>([
    ['resnet-cifar10/resnet20-cifar10', 269_722, 688, 40_551_040],
    ['resnet-cifar10/resnet56-cifar10', 853_018, 2032, 125_485_696],
    ['mlperf-tiny/ic_resnet8_cifar10', 78_186, 240, 12_501_632],
    ['mlperf-tiny/kws_dscnn', 23_756, 576, 2_656_768],
    ['mlperf-tiny/vww_mobilenetv1_0.25_96', 216_322, 2736, 7_489_664],
    ['mlperf-tiny/ad_autoencoder', 267_928, 1032, 264_192],
  ])('%s', (path, published, normalised, macs) => {
    const { totals } = countNetwork(open(path), W8A8)
    // The tiny networks' convolutions have a bias beside the normalisation.
    const perChannel = path.startsWith('mlperf') ? 2 : 1
    expect([totals.parameters + perChannel * normalised, totals.macs]).toEqual([published, macs])
    expect(totals.otherParameters).toBe(0)
  })

  it('MobileNetV2 has every row of the table but the classifier, a 1×1 convolution with a class more', () => {
    const { layers } = countNetwork(open('mobilenet-v2/mobilenet_v2_1.0_224-dequantized'), W8A8)
    const rows = layers
      .filter(({ kind }) => kind !== 'other')
      .map(({ inputShape, weightShape, outputShape, macs }) => [
        inputShape.slice(1),
        weightShape,
        outputShape.slice(1),
        macs,
      ])
    const sizes = (cell: string): number[] => cell.split('x').map(Number)
    const table = new TextDecoder()
      .decode(readShared('systems/workloads-layers.tsv'))
      .split('\n')
      .filter((line) => line.startsWith('mobilenet_v2\t'))
      .map((line) => line.split('\t'))
      .map((cells) => [sizes(cells[3]), sizes(cells[4]), sizes(cells[9]), Number(cells[10])])
    expect(rows.slice(0, 52)).toEqual(table.slice(0, 52))
    expect(rows.slice(52)).toEqual([[[1280, 1, 1], [1001, 1280, 1, 1], [1001, 1, 1], 1_281_280]])
  })

  it('counts a quantised file by its own plan as the float one at 8 bits', () => {
    const { compiled, filePlan } = prepare(parseOnnx(readShared('models/mlperf-tiny/kws_dscnn-qdq.onnx')))
    const byPlan = countNetwork(compiled, planBits(compiled, filePlan as NonNullable<typeof filePlan>))
    expect(byPlan.totals).toEqual(countNetwork(open('mlperf-tiny/kws_dscnn'), W8A8).totals)
  })

  it('counts what cannot be compiled', () => {
    const { totals } = countNetwork(open('super-resolution/super_resolution'), uniformBits(4, 8))
    expect([totals.parameters, totals.macs, totals.weightBytes]).toEqual([59_657, 2_984_869_888, 29_744])
  })

  it.each([
    ['resnet-cifar10/resnet20-cifar10', 20],
    ['mobilenet-v2/mobilenet_v2_1.0_224-dequantized', 53],
  ])('%s gets 2, 4 or 8 bits per layer within any budget of bytes', async (path, count) => {
    const graph = open(path)
    const names = graph.nodes.filter(({ operator }) => /Conv|Dense/.test(operator)).map(({ outputs }) => outputs[0])
    const fixed = new Map([names[0], names[names.length - 1]].map((name) => [name, 8]))
    const layers = allocationLayers(graph, { bits: [2, 4, 8], fixed })
    expect(layers).toHaveLength(count)
    const front = await paretoFront({ layers }, 'bytes', 6)
    for (const [i, { budget, allocation }] of front.entries()) {
      expect(allocation.cost.bytes).toBeLessThanOrEqual(budget)
      expect([allocation.bits[0], allocation.bits.at(-1)]).toEqual([8, 8])
      if (i > 0) expect(allocation.sensitivity).toBeLessThanOrEqual(front[i - 1].allocation.sensitivity)
    }
    expect(new Set(front.flatMap(({ allocation }) => allocation.bits))).toEqual(new Set([2, 4, 8]))
    expect(front[5].allocation.cost.bytes).toBe(
      countNetwork(graph, W8A8).totals.weightBytes + countNetwork(graph, W8A8).totals.biasBytes,
    )
  })

  it('knows the arena of ResNet-20 without calibration', async () => {
    const graph = open('resnet-cifar10/resnet20-cifar10')
    const memory = programMemory(graph, await nominalPlan(graph))
    // Two maps of 32 × 32 × 16 bytes are alive at once in the first stage.
    expect(memory.arenaBytes).toBeGreaterThanOrEqual(2 * 16_384)
    expect(memory.arenaBytes).toBeLessThan(countNetwork(graph, W8A8).totals.activationBytes)
    expect(memory.weightBytes).toBeGreaterThanOrEqual(268_336)
    expect(memory.memoryBytes).toBe(Math.ceil((memory.constantBytes + memory.arenaBytes) / 65_536) * 65_536)
  })
})

describe('glyphs', () => {
  const graph = prepare(parseOnnx(readFileSync(new URL('../../examples/glyphs/glyphs.onnx', import.meta.url)))).compiled

  it('sums to its totals', () => {
    const { layers, totals } = countNetwork(graph, W8A8)
    expect(layers.reduce((sum, { macs }) => sum + macs, 0)).toBe(totals.macs)
    expect(totals.parameters).toBe(totals.weights + totals.biases + totals.otherParameters)
  })
})
