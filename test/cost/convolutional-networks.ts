/**
 * The convolutional networks of the published tables, from their papers and torchvision's definitions: widths, kernels, strides
 * and the order of layers. Names are those of the tables.
 */
import { type BuiltNetwork, NetworkBuilder } from './network-builder.ts'

const ONE_BIAS = { affine: 'bias' } as const

function alexnetOneTower(): BuiltNetwork {
  const net = new NetworkBuilder()
  let x = net.convolution(net.input(1, 3, 224, 224), 64, 11, { ...ONE_BIAS, stride: 4, pad: 2 })
  x = net.convolution(net.maximum(x, 3, 2), 192, 5, ONE_BIAS)
  x = net.convolution(net.maximum(x, 3, 2), 384, 3, ONE_BIAS)
  x = net.convolution(x, 256, 3, ONE_BIAS)
  x = net.maximum(net.convolution(x, 256, 3, ONE_BIAS), 3, 2)
  net.dense(net.dense(net.dense(x, 4096), 4096), 1000)
  return net.build('alexnet_tv')
}

function alexnetCaffe(): BuiltNetwork {
  const net = new NetworkBuilder()
  const two = { ...ONE_BIAS, groups: 2 }
  let x = net.convolution(net.input(1, 3, 227, 227), 96, 11, { ...ONE_BIAS, stride: 4, pad: 0 })
  x = net.convolution(net.maximum(x, 3, 2), 256, 5, two)
  x = net.convolution(net.maximum(x, 3, 2), 384, 3, ONE_BIAS)
  x = net.convolution(x, 384, 3, two)
  x = net.maximum(net.convolution(x, 256, 3, two), 3, 2)
  net.dense(net.dense(net.dense(x, 4096), 4096), 1000)
  return net.build('alexnet_caffe@227')
}

function vgg16(): BuiltNetwork {
  const net = new NetworkBuilder()
  let x = net.input(1, 3, 224, 224)
  for (const group of [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ]) {
    for (const width of group) x = net.convolution(x, width, 3, ONE_BIAS)
    x = net.maximum(x, 2, 2)
  }
  net.dense(net.dense(net.dense(x, 4096), 4096), 1000)
  return net.build('vgg16')
}

/** Widths of a block: 1×1; 1×1 before 3×3; 1×1 before the large kernel; 1×1 after the pool. */
const INCEPTION: readonly (readonly [number, number, number, number, number, number] | 'pool')[] = [
  [64, 96, 128, 16, 32, 32],
  [128, 128, 192, 32, 96, 64],
  'pool',
  [192, 96, 208, 16, 48, 64],
  [160, 112, 224, 24, 64, 64],
  [128, 128, 256, 24, 64, 64],
  [112, 144, 288, 32, 64, 64],
  [256, 160, 320, 32, 128, 128],
  'pool',
  [256, 160, 320, 32, 128, 128],
  [384, 192, 384, 48, 128, 128],
]

function googlenet(name: string, large: 3 | 5, affine: 'norm' | 'bias'): BuiltNetwork {
  const net = new NetworkBuilder()
  const halve = (x: string): string => net.maximum(x, 3, 2, 0, true)
  let x = halve(net.convolution(net.input(1, 3, 224, 224), 64, 7, { affine, stride: 2 }))
  x = net.convolution(net.convolution(x, 64, 1, { affine }), 192, 3, { affine })
  x = halve(x)
  for (const block of INCEPTION) {
    if (block === 'pool') {
      x = halve(x)
      continue
    }
    const [one, before3, three, beforeLarge, largest, projection] = block
    x = net.concatenate(
      net.convolution(x, one, 1, { affine }),
      net.convolution(net.convolution(x, before3, 1, { affine }), three, 3, { affine }),
      net.convolution(net.convolution(x, beforeLarge, 1, { affine }), largest, large, { affine }),
      net.convolution(net.maximum(x, 3, 1, 1), projection, 1, { affine }),
    )
  }
  net.dense(net.average(x), 1000)
  return net.build(name)
}

function resnet18(): BuiltNetwork {
  const net = new NetworkBuilder()
  let x = net.maximum(net.convolution(net.input(1, 3, 224, 224), 64, 7, { stride: 2 }), 3, 2, 1)
  for (const [stage, width] of [64, 128, 256, 512].entries())
    for (const block of [0, 1]) {
      const stride = stage > 0 && block === 0 ? 2 : 1
      const y = net.convolution(net.convolution(x, width, 3, { stride }), width, 3)
      x = net.add(y, stride === 2 ? net.convolution(x, width, 1, { stride }) : x)
    }
  net.dense(net.average(x), 1000)
  return net.build('resnet18')
}

/** Stride 2 in a stage's first 1×1 (the paper) or in its 3×3 (v1.5). */
function resnet50(name: string, place: 'first' | 'middle'): BuiltNetwork {
  const net = new NetworkBuilder()
  let x = net.maximum(net.convolution(net.input(1, 3, 224, 224), 64, 7, { stride: 2 }), 3, 2, 1)
  for (const [stage, blocks] of [3, 4, 6, 3].entries())
    for (let block = 0; block < blocks; block++) {
      const width = 64 * 2 ** stage
      const stride = stage > 0 && block === 0 ? 2 : 1
      let y = net.convolution(x, width, 1, { stride: place === 'first' ? stride : 1 })
      y = net.convolution(y, width, 3, { stride: place === 'middle' ? stride : 1 })
      y = net.convolution(y, 4 * width, 1)
      x = net.add(y, block === 0 ? net.convolution(x, 4 * width, 1, { stride }) : x)
    }
  net.dense(net.average(x), 1000)
  return net.build(name)
}

function inceptionV3(): BuiltNetwork {
  const net = new NetworkBuilder()
  const chain = (x: string, ...layers: [width: number, kernel: number | [number, number]][]): string =>
    layers.reduce((value, [width, kernel]) => net.convolution(value, width, kernel), x)
  const reduce = (x: string, width: number): string => net.convolution(x, width, 3, { stride: 2, pad: 0 })
  const pooled = (x: string): string => net.maximum(x, 3, 1, 1)
  let x = net.convolution(net.input(1, 3, 299, 299), 32, 3, { stride: 2, pad: 0 })
  x = net.convolution(net.convolution(x, 32, 3, { pad: 0 }), 64, 3)
  x = net.convolution(net.maximum(x, 3, 2), 80, 1)
  x = net.maximum(net.convolution(x, 192, 3, { pad: 0 }), 3, 2)
  for (const width of [32, 64, 64])
    x = net.concatenate(
      chain(x, [64, 1]),
      chain(x, [48, 1], [64, 5]),
      chain(x, [64, 1], [96, 3], [96, 3]),
      chain(pooled(x), [width, 1]),
    )
  x = net.concatenate(reduce(x, 384), reduce(chain(x, [64, 1], [96, 3]), 96), net.maximum(x, 3, 2))
  for (const c of [128, 160, 160, 192])
    x = net.concatenate(
      chain(x, [192, 1]),
      chain(x, [c, 1], [c, [1, 7]], [192, [7, 1]]),
      chain(x, [c, 1], [c, [7, 1]], [c, [1, 7]], [c, [7, 1]], [192, [1, 7]]),
      chain(pooled(x), [192, 1]),
    )
  x = net.concatenate(
    reduce(chain(x, [192, 1]), 320),
    reduce(chain(x, [192, 1], [192, [1, 7]], [192, [7, 1]]), 192),
    net.maximum(x, 3, 2),
  )
  for (let block = 0; block < 2; block++) {
    const one = chain(x, [320, 1])
    const two = chain(x, [384, 1])
    const split = [chain(two, [384, [1, 3]]), chain(two, [384, [3, 1]])]
    const three = chain(x, [448, 1], [384, 3])
    x = net.concatenate(
      one,
      ...split,
      chain(three, [384, [1, 3]]),
      chain(three, [384, [3, 1]]),
      chain(pooled(x), [192, 1]),
    )
  }
  net.dense(net.average(x), 1000)
  return net.build('inception_v3_noaux')
}

function mobilenetV2(): BuiltNetwork {
  const net = new NetworkBuilder()
  let x = net.convolution(net.input(1, 3, 224, 224), 32, 3, { stride: 2 })
  for (const [expansion, width, count, first] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ])
    for (let block = 0; block < count; block++) {
      const stride = block === 0 ? first : 1
      const channels = net.shape(x)[1]
      const wide = expansion === 1 ? x : net.convolution(x, expansion * channels, 1)
      const y = net.convolution(net.depthwise(wide, 3, stride), width, 1)
      x = stride === 1 && channels === width ? net.add(x, y) : y
    }
  net.dense(net.average(net.convolution(x, 1280, 1)), 1000)
  return net.build('mobilenet_v2')
}

/** A gate per channel from the mean: two 1×1 convolutions with bias. */
function squeezeExcite(net: NetworkBuilder, x: string, width: number): string {
  const squeezed = net.convolution(net.average(x), width, 1, ONE_BIAS)
  return net.multiply(x, net.convolution(squeezed, net.shape(x)[1], 1, ONE_BIAS))
}

type Bottleneck = readonly [kernel: number, expanded: number, width: number, squeeze: number, stride: number]

/** Squeeze widths; 0 for none. */
const LARGE: readonly Bottleneck[] = [
  [3, 16, 16, 0, 1],
  [3, 64, 24, 0, 2],
  [3, 72, 24, 0, 1],
  [5, 72, 40, 24, 2],
  [5, 120, 40, 32, 1],
  [5, 120, 40, 32, 1],
  [3, 240, 80, 0, 2],
  [3, 200, 80, 0, 1],
  [3, 184, 80, 0, 1],
  [3, 184, 80, 0, 1],
  [3, 480, 112, 120, 1],
  [3, 672, 112, 168, 1],
  [5, 672, 160, 168, 2],
  [5, 960, 160, 240, 1],
  [5, 960, 160, 240, 1],
]
const SMALL: readonly Bottleneck[] = [
  [3, 16, 16, 8, 2],
  [3, 72, 24, 0, 2],
  [3, 88, 24, 0, 1],
  [5, 96, 40, 24, 2],
  [5, 240, 40, 64, 1],
  [5, 240, 40, 64, 1],
  [5, 120, 48, 32, 1],
  [5, 144, 48, 40, 1],
  [5, 288, 96, 72, 2],
  [5, 576, 96, 144, 1],
  [5, 576, 96, 144, 1],
]

function mobilenetV3(name: string, rows: readonly Bottleneck[], last: number, hidden: number): BuiltNetwork {
  const net = new NetworkBuilder()
  let x = net.convolution(net.input(1, 3, 224, 224), 16, 3, { stride: 2 })
  for (const [kernel, expanded, width, squeeze, stride] of rows) {
    const channels = net.shape(x)[1]
    const wide = expanded === channels ? x : net.convolution(x, expanded, 1)
    let y = net.depthwise(wide, kernel, stride)
    if (squeeze > 0) y = squeezeExcite(net, y, squeeze)
    y = net.convolution(y, width, 1)
    x = stride === 1 && channels === width ? net.add(x, y) : y
  }
  net.dense(net.dense(net.average(net.convolution(x, last, 1)), hidden), 1000)
  return net.build(name)
}

function efficientnetB0(): BuiltNetwork {
  const net = new NetworkBuilder()
  let x = net.convolution(net.input(1, 3, 224, 224), 32, 3, { stride: 2 })
  for (const [expansion, kernel, first, width, count] of [
    [1, 3, 1, 16, 1],
    [6, 3, 2, 24, 2],
    [6, 5, 2, 40, 2],
    [6, 3, 2, 80, 3],
    [6, 5, 1, 112, 3],
    [6, 5, 2, 192, 4],
    [6, 3, 1, 320, 1],
  ])
    for (let block = 0; block < count; block++) {
      const stride = block === 0 ? first : 1
      const channels = net.shape(x)[1]
      const wide = expansion === 1 ? x : net.convolution(x, expansion * channels, 1)
      const gated = squeezeExcite(net, net.depthwise(wide, kernel, stride), channels / 4)
      const y = net.convolution(gated, width, 1)
      x = stride === 1 && channels === width ? net.add(x, y) : y
    }
  net.dense(net.average(net.convolution(x, 1280, 1)), 1000)
  return net.build('efficientnet_b0')
}

export const convolutionalNetworks: readonly (() => BuiltNetwork)[] = [
  alexnetOneTower,
  alexnetCaffe,
  vgg16,
  () => googlenet('googlenet_v1_caffe_aux=False', 5, 'bias'),
  () => googlenet('googlenet_tv_noaux', 3, 'norm'),
  resnet18,
  () => resnet50('resnet50_v1', 'first'),
  () => resnet50('resnet50_v1.5', 'middle'),
  inceptionV3,
  mobilenetV2,
  () => mobilenetV3('mobilenet_v3_large', LARGE, 960, 1280),
  () => mobilenetV3('mobilenet_v3_small', SMALL, 576, 1024),
  efficientnetB0,
]
