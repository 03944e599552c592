/** Counts against the published per-layer tables of 21 networks, and against totals that stand here. */
import { describe, expect, it } from 'vitest'
import { uniformBits } from '../../src/cost/bit-widths.ts'
import { countNetwork, type LayerCount } from '../../src/cost/count.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { convolutionalNetworks } from './convolutional-networks.ts'
import type { BuiltNetwork } from './network-builder.ts'
import { hasShared, readShared } from './real-files.ts'
import { transformerNetworks } from './transformer-networks.ts'

/** Parameters, MACs, and output elements of convolutions and dense layers at batch 1. */
const TOTALS: Readonly<Record<string, readonly [parameters: number, macs: number, activations: number]>> = {
  alexnet_tv: [61_100_840, 714_188_480, 494_184],
  'alexnet_caffe@227': [60_965_224, 724_406_816, 659_272],
  vgg16: [138_357_544, 15_470_264_320, 13_556_712],
  'googlenet_v1_caffe_aux=False': [6_998_552, 1_582_671_872, 3_227_160],
  googlenet_tv_noaux: [6_624_904, 1_498_376_192, 3_227_160],
  resnet18: [11_689_512, 1_814_073_344, 2_484_712],
  resnet50_v1: [25_557_032, 3_857_973_248, 10_588_136],
  'resnet50_v1.5': [25_557_032, 4_089_184_256, 11_114_984],
  inception_v3_noaux: [23_834_568, 5_713_216_096, 8_968_488],
  mobilenet_v2: [3_504_872, 300_774_272, 6_679_112],
  mobilenet_v3_large: [5_483_032, 216_589_760, 4_407_168],
  mobilenet_v3_small: [2_542_856, 56_510_400, 1_417_680],
  efficientnet_b0: [5_288_548, 385_814_752, 6_748_036],
  vit_small_patch16_224: [22_050_664, 4_598_882_304, 8_246_248],
  vit_base_patch16_224: [86_567_656, 17_563_828_224, 16_491_496],
  deit_tiny_patch16_224: [5_717_416, 1_253_683_200, 4_123_624],
  deit_tiny_distilled_patch16_224: [5_910_800, 1_261_003_776, 4_145_360],
  swin_tiny_patch4_window7_224: [28_288_354, 4_490_566_656, 13_435_624],
  swin_small_patch4_window7_224: [49_606_258, 8_740_875_264, 21_564_136],
  pvt_v2_b0: [3_666_760, 566_065_664, 7_006_824],
  'bert_base_S=128': [109_482_240, 11_174_215_680, 10_617_600],
}

const KINDS: Readonly<Record<LayerCount['kind'], string>> = {
  convolution: 'conv',
  depthwise: 'dwconv',
  grouped: 'gconv',
  dense: 'linear',
  product: 'matmul',
  other: '',
}

/** One line of the table: kind, input, weights, stride, pad, dilation, groups, output, MACs. */
function rowOf(graph: Graph, layer: LayerCount): string {
  const by = (sizes: readonly number[]): string => sizes.join('x')
  const node = graph.nodes.find(({ outputs }) => outputs[0] === layer.name)
  const pair = (name: string): string => by((node?.attributes.get(name) as readonly number[] | undefined) ?? [1, 1])
  const spatial = layer.inputShape.length === 4
  const cut = (shape: readonly number[]): string => by(spatial ? shape.slice(1) : shape)
  const pads = (node?.attributes.get('pads') ?? []) as readonly number[]
  const window = spatial
    ? [pair('strides'), by(pads.slice(0, 2)), pair('dilations'), String(node?.attributes.get('group'))]
    : ['', '', '', '1']
  return [
    KINDS[layer.kind],
    cut(layer.inputShape),
    by(layer.weightShape as readonly number[]),
    ...window,
    cut(layer.outputShape),
    layer.macs,
  ].join(' ')
}

const networks: BuiltNetwork[] = [...convolutionalNetworks, ...transformerNetworks].map((build) => build())
const W8A8 = uniformBits(8, 8)

it('all networks of the tables are built', () => {
  expect(networks.map(({ graph }) => graph.name)).toEqual(Object.keys(TOTALS))
})

describe.each(networks)('$graph.name', ({ graph, parameters }) => {
  const { layers, totals } = countNetwork(graph, W8A8)

  it('has the published totals', () => {
    expect([parameters, totals.macs, totals.activations]).toEqual(TOTALS[graph.name])
    expect(totals.bops).toBe(64 * totals.macs)
    expect(totals.weightBytes).toBe(totals.weights)
  })

  it('sums its layers', () => {
    for (const field of ['weights', 'biases', 'macs', 'bops', 'weightBytes', 'biasBytes', 'activationBytes'] as const)
      expect(layers.reduce((sum, layer) => sum + layer[field], 0)).toBe(totals[field])
  })
})

describe.skipIf(!hasShared())('workloads-layers.tsv', () => {
  const table = new Map<string, string[]>()
  if (hasShared())
    for (const line of new TextDecoder()
      .decode(readShared('systems/workloads-layers.tsv'))
      .trim()
      .split('\n')
      .slice(1)) {
      const [name, , ...cells] = line.split('\t')
      table.set(name, [...(table.get(name) ?? []), cells.join(' ')])
    }

  it('lists the networks that are built here, and no other', () => {
    expect([...table.keys()]).toEqual(Object.keys(TOTALS))
  })

  // Branches of a block may be listed in another order.
  it.each(networks)('$graph.name: every row', ({ graph }) => {
    const rows = countNetwork(graph, W8A8).layers.filter(({ kind }) => kind !== 'other')
    expect(rows.map((layer) => rowOf(graph, layer)).sort()).toEqual(table.get(graph.name)?.toSorted())
  })
})

describe('derived figures', () => {
  const count = (name: string, weights = 8, values = weights) => {
    const found = networks.find(({ graph }) => graph.name === name) as BuiltNetwork
    return countNetwork(found.graph, uniformBits(weights, values))
  }

  it('are the GBOPs of HAWQ-V3', () => {
    const giga = (name: string) => (count(name).totals.bops / 1e9).toFixed(1)
    expect(['resnet18', 'resnet50_v1', 'inception_v3_noaux'].map(giga)).toEqual(['116.1', '246.9', '365.6'])
    expect(count('resnet18', 32).totals.bops).toBe(1024 * 1_814_073_344)
  })

  it('are right with the normalisation folded: one bias per output channel', () => {
    const { totals } = count('resnet50_v1')
    expect([totals.weights, totals.parameters]).toEqual([25_502_912, 25_530_472])
    expect((totals.weightBytes / 2 ** 20).toFixed(1)).toBe('24.3')
    expect((count('resnet18').totals.weightBytes / 2 ** 20).toFixed(2)).toBe('11.14')
    expect(count('resnet50_v1', 4).totals.weightBytes).toBe(25_502_912 / 2)
  })

  it('split by kind', () => {
    const macs = (name: string, ...kinds: LayerCount['kind'][]) =>
      count(name)
        .layers.filter(({ kind }) => kinds.includes(kind))
        .reduce((sum, layer) => sum + layer.macs, 0)
    expect(macs('mobilenet_v2', 'depthwise')).toBe(20_716_416)
    expect(macs('alexnet_caffe@227', 'grouped')).toBe(410_849_280)
    expect(macs('pvt_v2_b0', 'product')).toBe(38_108_672)
    expect(macs('bert_base_S=128', 'product')).toBe(301_989_888)
    expect((macs('alexnet_tv', 'dense') / count('alexnet_tv').totals.macs).toFixed(3)).toBe('0.082')
    expect((count('resnet50_v1.5').totals.macs / count('resnet50_v1').totals.macs).toFixed(4)).toBe('1.0599')
    expect(count('vgg16').totals.largestActivation).toBe(3_211_264)
    expect(count('mobilenet_v2').totals.largestActivation).toBe(1_204_224)
  })
})
