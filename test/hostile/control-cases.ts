/** Honest models: a corpus that everything refuses proves nothing. */
import { accepted, group } from './hostile-case.ts'
import { floats, honest, honestResult, longs, net, node, octets, single } from './sketch.ts'

const codes = octets('q', 3, [4], [2, 254, 6, 248])

export const controlCases = group('control', [
  accepted('honest', 'nothing', honest, honestResult),
  accepted(
    'dense',
    'a dense layer',
    () =>
      single('Gemm', {}, [floats('w', [4, 2], [1, 0, 0, 1, 1, 0, 0, 1]), floats('b', [2], [10, -10])], [1, 4], [1, 2]),
    {
      x: [1, 2, 3, 4],
      y: [14, -4],
    },
  ),
  accepted(
    'convolution',
    'a convolution',
    () => single('Conv', {}, [floats('w', [1, 1, 2, 2], [1, 2, 3, 4])], [1, 1, 2, 3], [1, 1, 1, 2]),
    {
      x: [1, 2, 3, 4, 5, 6],
      y: [37, 47],
    },
  ),
  accepted('pool', 'a pool', () => single('MaxPool', { kernel_shape: [2, 2] }, [], [1, 1, 2, 3], [1, 1, 1, 2]), {
    x: [1, 2, 3, 4, 5, 6],
    y: [5, 6],
  }),
  accepted(
    'reshape',
    'a Reshape with an open size',
    () => single('Reshape', {}, [longs('t', [-1, 2])], [1, 4], [2, 2]),
    {
      x: [1, 2, 3, 4],
      y: [1, 2, 3, 4],
    },
  ),
  accepted('transpose', 'a Transpose', () => single('Transpose', { perm: [1, 0] }, [], [2, 2], [2, 2]), {
    x: [1, 2, 3, 4],
    y: [1, 3, 2, 4],
  }),
  accepted('concat', 'a Concat', () => net([node('Concat', ['x', 'x'], ['y'], { axis: 1n })], [], [1, 2], [1, 4]), {
    x: [1, 2],
    y: [1, 2, 1, 2],
  }),
  accepted(
    'slice',
    'a Slice to the end',
    () => single('Slice', {}, [longs('a', [1]), longs('b', [2n ** 62n]), longs('c', [1])], [1, 4], [1, 3]),
    {
      x: [1, 2, 3, 4],
      y: [2, 3, 4],
    },
  ),
  accepted(
    'old-slice',
    'a Slice of opset 9',
    () => single('Slice', { starts: [1], ends: [2n ** 63n - 1n], axes: [1] }, [], [1, 4], [1, 3], 9),
    {
      x: [1, 2, 3, 4],
      y: [2, 3, 4],
    },
  ),
  accepted('clip', 'a Clip', () => single('Clip', {}, [floats('a', [], [0]), floats('b', [], [6])]), {
    x: [-1, 0, 5, 7],
    y: [0, 0, 5, 6],
  }),
  accepted(
    'dequantise',
    'dequantised weights',
    () =>
      net(
        [node('DequantizeLinear', ['q', 's'], ['w']), node('Add', ['x', 'w'], ['y'])],
        [codes, floats('s', [], [0.5])],
        [4],
      ),
    { x: [0, 0, 0, 0], y: [1, -1, 3, -4] },
  ),
  accepted('opset-7', 'the oldest operator set', () => single('Relu', {}, [], [1, 4], [1, 4], 7), {
    x: [1, -1, 2, -2],
    y: [1, 0, 2, 0],
  }),
  accepted('opset-28', 'the newest operator set', () => single('Relu', {}, [], [1, 4], [1, 4], 28), {
    x: [1, -1, 2, -2],
    y: [1, 0, 2, 0],
  }),
  accepted('rank-32', 'an input of 32 axes', () => single('Relu', {}, [], Array<number>(32).fill(1)), {
    x: [-1],
    y: [0],
  }),
  accepted(
    'sizes',
    'sizes that the graph computes',
    () =>
      net(
        [
          node('Shape', ['x'], ['s']),
          node('Concat', ['s', 'one'], ['t'], { axis: 0n }),
          node('Reshape', ['x', 't'], ['y']),
        ],
        [longs('one', [1])],
        [1, 4],
        [1, 4, 1],
      ),
    { x: [1, 2, 3, 4], y: [1, 2, 3, 4] },
  ),
])
