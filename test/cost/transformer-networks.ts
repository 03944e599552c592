/**
 * The layers of the transformers of the published tables, each with inputs of its own: attention is a product of two computed
 * matrices, heads and windows are its batch. Widths and orders from the papers and the usual implementations.
 */
import { type BuiltNetwork, NetworkBuilder } from './network-builder.ts'

/** Scale and shift of a layer normalisation. */
const norm = (width: number): number => 2 * width

function dense(net: NetworkBuilder, rows: number, inputs: number, outputs: number, bias = true): void {
  net.dense(net.input(rows, inputs), outputs, bias)
}

/** Queries × keys, then weights × values. */
function attend(net: NetworkBuilder, batch: number, queries: number, keys: number, depth: number): void {
  net.product(batch, queries, depth, keys)
  net.product(batch, queries, keys, depth)
}

function vision(name: string, width: number, heads: number, extraTokens: number): BuiltNetwork {
  const net = new NetworkBuilder()
  const tokens = 14 * 14 + extraTokens
  net.convolution(net.input(1, 3, 224, 224), width, 16, { affine: 'bias', stride: 16, pad: 0 })
  net.parameters(extraTokens * width + tokens * width + norm(width))
  for (let block = 0; block < 12; block++) {
    net.parameters(2 * norm(width))
    dense(net, tokens, width, 3 * width)
    attend(net, heads, tokens, tokens, width / heads)
    dense(net, tokens, width, width)
    dense(net, tokens, width, 4 * width)
    dense(net, tokens, 4 * width, width)
  }
  // One head per extra token.
  for (let head = 0; head < extraTokens; head++) dense(net, 1, width, 1000)
  return net.build(name)
}

function swin(name: string, depths: readonly number[]): BuiltNetwork {
  const net = new NetworkBuilder()
  const window = 49
  net.convolution(net.input(1, 3, 224, 224), 96, 4, { affine: 'bias', stride: 4, pad: 0 })
  net.parameters(norm(96))
  for (const [stage, depth] of depths.entries()) {
    const width = 96 * 2 ** stage
    const heads = 3 * 2 ** stage
    const tokens = (56 / 2 ** stage) ** 2
    if (stage > 0) {
      net.parameters(norm(2 * width))
      dense(net, tokens, 2 * width, width, false)
    }
    for (let block = 0; block < depth; block++) {
      net.parameters(2 * norm(width) + 13 * 13 * heads)
      dense(net, tokens, width, 3 * width)
      attend(net, (tokens / window) * heads, window, window, 32)
      dense(net, tokens, width, width)
      dense(net, tokens, width, 4 * width)
      dense(net, tokens, 4 * width, width)
    }
  }
  net.parameters(norm(768))
  dense(net, 1, 768, 1000)
  return net.build(name)
}

/** Attention over keys and values from a map that a convolution has reduced. */
function pyramidV2B0(): BuiltNetwork {
  const net = new NetworkBuilder()
  let channels = 3
  for (const [stage, [width, heads, reduction, hidden, size]] of [
    [32, 1, 8, 256, 56],
    [64, 2, 4, 512, 28],
    [160, 5, 2, 640, 14],
    [256, 8, 1, 1024, 7],
  ].entries()) {
    const [kernel, stride] = stage === 0 ? [7, 4] : [3, 2]
    const source = net.input(1, channels, size * stride, size * stride)
    net.convolution(source, width, kernel, { affine: 'bias', stride })
    // After the embedding and after the stage.
    net.parameters(2 * norm(width))
    const tokens = size * size
    const keys = tokens / reduction ** 2
    for (let block = 0; block < 2; block++) {
      net.parameters(2 * norm(width))
      dense(net, tokens, width, width)
      if (reduction > 1) {
        const map = net.input(1, width, size, size)
        net.convolution(map, width, reduction, { affine: 'bias', stride: reduction, pad: 0 })
        net.parameters(norm(width))
      }
      dense(net, keys, width, 2 * width)
      attend(net, heads, tokens, keys, width / heads)
      dense(net, tokens, width, width)
      dense(net, tokens, width, hidden)
      net.depthwise(net.input(1, hidden, size, size), 3, 1, 'bias')
      dense(net, tokens, hidden, width)
    }
    channels = width
  }
  dense(net, 1, 256, 1000)
  return net.build('pvt_v2_b0')
}

function bert(tokens: number): BuiltNetwork {
  const net = new NetworkBuilder()
  const width = 768
  // Words, positions, segments, and the normalisation of their sum.
  net.parameters((30_522 + 512 + 2) * width + norm(width))
  for (let block = 0; block < 12; block++) {
    net.parameters(2 * norm(width))
    for (let role = 0; role < 3; role++) dense(net, tokens, width, width)
    attend(net, 12, tokens, tokens, 64)
    dense(net, tokens, width, width)
    dense(net, tokens, width, 4 * width)
    dense(net, tokens, 4 * width, width)
  }
  dense(net, 1, width, width)
  return net.build(`bert_base_S=${tokens}`)
}

export const transformerNetworks: readonly (() => BuiltNetwork)[] = [
  () => vision('vit_small_patch16_224', 384, 6, 1),
  () => vision('vit_base_patch16_224', 768, 12, 1),
  () => vision('deit_tiny_patch16_224', 192, 3, 1),
  () => vision('deit_tiny_distilled_patch16_224', 192, 3, 2),
  () => swin('swin_tiny_patch4_window7_224', [2, 2, 6, 2]),
  () => swin('swin_small_patch4_window7_224', [2, 2, 18, 2]),
  pyramidV2B0,
  () => bert(128),
]
