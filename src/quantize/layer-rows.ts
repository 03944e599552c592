/**
 * What a layer's weights multiply, as rows of a matrix: one row for each chosen output position (im2col), whose columns are
 * in the order of the ONNX weights, group after group: [group][channel][kernel row][kernel column].
 */
import type { Graph } from '../graph/graph.ts'
import { fillRandomUint32, scaleUint32 } from '../num/random.ts'
import { type Layer, observedInput, rowsOf, tapsOf } from './layer.ts'

/** How rows of one layer are read from values in the executors' order: N, H, W, C for rank 4, row-major otherwise. */
export interface RowReader {
  /** Output positions of one sample. */
  readonly positions: number
  /** Numbers in a row. */
  readonly width: number
  /** Writes the row of one output position to `rows` from index `at`. */
  read(values: Float32Array, position: number, rows: Float32Array, at: number): void
}

export function rowReader(graph: Graph, layer: Layer): RowReader {
  return layer.node.operator === 'dyadic.Conv' ? windowReader(graph, layer) : vectorReader(graph, layer)
}

function windowReader(graph: Graph, layer: Layer): RowReader {
  const { node, groups } = layer
  const shapeOf = (name: string): readonly number[] => graph.values.get(name)?.shape ?? []
  // A signal is a picture of one line, but its values come in the order N, C, W.
  const isSignal = shapeOf(node.inputs[0]).length === 3
  const plane = (sizes: readonly number[], lines: number): readonly number[] => (isSignal ? [lines, ...sizes] : sizes)
  const [height, width] = plane(shapeOf(node.inputs[0]).slice(2), 1)
  const [outputHeight, outputWidth] = plane(shapeOf(node.outputs[0]).slice(2), 1)
  const [kernelHeight, kernelWidth] = plane(graph.constants.get(node.inputs[1])?.shape.slice(2) ?? [], 1)
  const [, channels] = shapeOf(node.inputs[0])
  const list = (name: string): readonly number[] => node.attributes.get(name) as readonly number[]
  const [strides, dilations] = [plane(list('strides'), 1), plane(list('dilations'), 1)]
  const pads = plane(list('pads'), 0)
  const [pixelStep, channelStep] = isSignal ? [1, width] : [channels, 1]
  const area = kernelHeight * kernelWidth
  return {
    positions: outputHeight * outputWidth,
    width: groups * tapsOf(layer),
    read(values, position, rows, at) {
      const top = Math.floor(position / outputWidth) * strides[0] - pads[0]
      const left = (position % outputWidth) * strides[1] - pads[1]
      for (let tap = 0; tap < area; tap++) {
        const h = top + Math.floor(tap / kernelWidth) * dilations[0]
        const w = left + (tap % kernelWidth) * dilations[1]
        const inside = h >= 0 && h < height && w >= 0 && w < width
        const pixel = (h * width + w) * pixelStep
        for (let c = 0; c < channels; c++) rows[at + c * area + tap] = inside ? values[pixel + c * channelStep] : 0
      }
    },
  }
}

function vectorReader(graph: Graph, layer: Layer): RowReader {
  const { channels, area } = layer
  const width = tapsOf(layer)
  const shape = graph.values.get(observedInput(graph, layer.node))?.shape ?? []
  const places = rowsOf(graph, layer.node.inputs[0]) > 1 ? rowPlaces(shape) : undefined
  if (places !== undefined)
    return {
      positions: places.starts.length,
      width,
      read(values, position, rows, at) {
        const start = places.starts[position]
        for (let c = 0; c < width; c++) rows[at + c] = values[start + c * places.step]
      },
    }
  return {
    positions: shape.reduce((product, size) => product * size, 1) / width,
    width,
    read(values, position, rows, at) {
      for (let c = 0; c < channels; c++)
        for (let p = 0; p < area; p++) rows[at + c * area + p] = values[position * width + p * channels + c]
    },
  }
}

/** Where the rows along the last axis of a value of rank 4 lie in the order N, H, W, C; undefined where there is one row. */
function rowPlaces(shape: readonly number[]): { readonly starts: Int32Array; readonly step: number } | undefined {
  const [samples, channels, height, width] = shape
  if (shape.length !== 4 || samples * channels * height === 1) return undefined
  const starts = Int32Array.from({ length: samples * channels * height }, (_, row) => {
    const channel = Math.floor(row / height) % channels
    const line = Math.floor(row / (channels * height)) * height + (row % height)
    return line * width * channels + channel
  })
  return { starts, step: channels }
}

/**
 * A layer's outputs, or what is added to them, as rows of channels: for convolutions of pictures the order N, H, W, C in which
 * executors report values of rank 4, for dense layers that of the rows.
 */
export function outputRows(graph: Graph, layer: Layer, values: Float32Array): Float32Array {
  const { node, outputs } = layer
  const shape = graph.values.get(node.outputs[0])?.shape ?? []
  if (node.operator === 'dyadic.Conv' && shape.length === 3)
    return values.map((_, i) => values[(i % outputs) * shape[2] + Math.floor(i / outputs)])
  const places = node.operator === 'dyadic.Conv' ? undefined : rowPlaces(shape)
  if (places === undefined) return values
  const { starts, step } = places
  return values.map((_, i) => values[starts[Math.floor(i / outputs)] + (i % outputs) * step])
}

/**
 * `count` different numbers below `positions` in ascending order, at random: which positions of sample `sample` are looked
 * at in layer `stream`.
 */
export function choosePositions(
  positions: number,
  count: number,
  seed: number,
  stream: number,
  sample: number,
): Int32Array {
  const all = Int32Array.from({ length: positions }, (_, i) => i)
  if (count >= positions) return all
  const words = new Uint32Array(count)
  fillRandomUint32(seed, stream, sample * positions, words)
  // The first `count` places of a random permutation.
  words.forEach((word, i) => {
    const other = i + scaleUint32(word, positions - i)
    const kept = all[i]
    all[i] = all[other]
    all[other] = kept
  })
  return all.slice(0, count).sort()
}
