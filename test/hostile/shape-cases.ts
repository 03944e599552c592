/** Shapes: impossible sizes, sizes that overflow, and small files that ask for huge tensors. */
import { accepted, either, group, refused } from './hostile-case.ts'
import { file, floats, honestGraph, longs, net, node, single, value } from './sketch.ts'

const input =
  (...dims: (number | bigint | string)[]) =>
  () =>
    file({ node: [node('Relu', ['x'], ['y'])], input: [value('x', dims)], output: [value('y', [])] })
const TOO_LARGE = ['elements', 'large', 'limit', 'size']
const image = [1, 1, 8, 8] as const
const far = 2n ** 40n

/** Constants that grow by one operator after the other: 2^6 to the power of their number. */
const growing = (count: number) => () =>
  net(
    [
      ...Array.from({ length: count }, (_, i) => node('Tile', [`c${i}`, 'r'], [`c${i + 1}`])),
      node('ReduceSum', [`c${count}`], ['sum'], { keepdims: 0n }),
      node('Add', ['x', 'sum'], ['y']),
    ],
    [floats('c0', [1], [1]), longs('r', [64])],
  )

/** Many constants of 64 MiB, each made from a few bytes, of each of which the largest element is added. */
const wide = (count: number) => () =>
  net(
    Array.from({ length: count }, (_, i) => [
      node('Expand', [`c${i}`, 't'], [`e${i}`]),
      node('ReduceMax', [`e${i}`], [`m${i}`], { keepdims: 0n }),
      node('Add', [i === 0 ? 'x' : `s${i}`, `m${i}`], [i === count - 1 ? 'y' : `s${i + 1}`]),
    ]).flat(),
    [...Array.from({ length: count }, (_, i) => floats(`c${i}`, [1], [i])), longs('t', [2 ** 24])],
  )

export const shapeCases = group('shapes', [
  refused('input-zero', 'an input with a dimension of 0', ['axis', '"x"'], input(1, 0)),
  refused('input-negative', 'an input with a dimension of −1', ['axis', '"x"', '-1'], input(-1n, 4)),
  refused('input-least', 'an input with a dimension of −2^63', '"x"', input(-(2n ** 63n))),
  refused('input-most', 'an input with a dimension of 2^63 − 1', [...TOO_LARGE, '"x"'], input(2n ** 63n - 1n)),
  refused('input-wrap-64', 'an input of 2^64 elements', [...TOO_LARGE, '"x"'], input(2n ** 32n, 2n ** 32n)),
  refused('input-wrap-32', 'an input of 2^32 elements', [...TOO_LARGE, '"x"'], input(65536, 65536)),
  refused('input-rank-33', 'an input of 33 axes', ['rank', 'axes'], input(...Array<number>(33).fill(1))),
  refused('input-rank-100000', 'an input of 100,000 axes', ['rank', 'axes'], input(...Array<number>(100_000).fill(1))),
  refused('input-symbolic', 'an input with a symbolic inner axis', 'height', input(1, 'height')),
  refused('input-both', 'a dimension with a size and a name', 'axis', () =>
    file({
      node: [node('Relu', ['x'], ['y'])],
      input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 4n, dimParam: 'n' }] } } } }],
      output: [value('y', [])],
    }),
  ),
  refused('reshape-two-open', 'Reshape with two open sizes', 'Reshape', () =>
    single('Reshape', {}, [longs('t', [-1, -1])]),
  ),
  refused('reshape-negative', 'Reshape to −2', 'Reshape', () => single('Reshape', {}, [longs('t', [-2, 2])])),
  refused('reshape-other', 'Reshape to another number of elements', 'Reshape', () =>
    single('Reshape', {}, [longs('t', [3])]),
  ),
  refused('reshape-wrap', 'Reshape to sizes whose product is 4 modulo 2^64', ['Reshape', '53 bits', 'elements'], () =>
    single('Reshape', {}, [longs('t', [2n ** 62n, 4n, 4n])]),
  ),
  refused('reshape-open-zero', 'Reshape with an open size and 0', 'Reshape', () =>
    single('Reshape', { allowzero: 1n }, [longs('t', [-1, 0])], [1, 4], [1, 4], 14),
  ),
  refused('reshape-rank', 'Reshape to 100,000 axes', ['rank', 'axes', 'Reshape'], () =>
    single('Reshape', {}, [longs('t', Array<number>(100_000).fill(1))], [1, 1]),
  ),
  refused('reshape-rank-40', 'Reshape to 40 axes', ['rank', 'axes', 'Reshape'], () =>
    single('Reshape', {}, [longs('t', Array<number>(40).fill(1))], [1, 1], Array<number>(40).fill(1)),
  ),
  refused('unsqueeze-many', 'Unsqueeze to 40 axes', ['rank', 'axes', 'Unsqueeze'], () =>
    single(
      'Unsqueeze',
      {},
      [
        longs(
          't',
          Array.from({ length: 39 }, (_, i) => i),
        ),
      ],
      [1],
      [],
    ),
  ),
  refused('unsqueeze-twice', 'Unsqueeze of one axis twice', ['axes', 'Unsqueeze'], () =>
    single('Unsqueeze', {}, [longs('t', [0, 0])]),
  ),
  refused('squeeze-wide', 'Squeeze of an axis that is not 1', 'Squeeze', () =>
    single('Squeeze', {}, [longs('t', [1])]),
  ),
  refused('expand-far', 'Expand to 10^5 × 10^5 × 10^5', TOO_LARGE, () =>
    single('Expand', {}, [longs('t', [100_000, 100_000, 100_000])], [1, 1, 1], []),
  ),
  refused('expand-wrap', 'Expand to 2^32 × 2^32', TOO_LARGE, () =>
    single('Expand', {}, [longs('t', [2n ** 32n, 2n ** 32n])], [1, 1], []),
  ),
  refused('expand-most', 'Expand to 2^63 − 1', ['53 bits', ...TOO_LARGE], () =>
    single('Expand', {}, [longs('t', [2n ** 63n - 1n])], [1], []),
  ),
  refused('expand-negative', 'Expand to −5', ['negative', 'Expand'], () =>
    single('Expand', {}, [longs('t', [-5])], [1], []),
  ),
  refused('expand-zero', 'Expand to 0', ['elements', 'Expand'], () => single('Expand', {}, [longs('t', [0])], [1], [])),
  refused('expand-rank', 'Expand to 50 axes', ['rank', 'axes'], () =>
    single('Expand', {}, [longs('t', Array<number>(50).fill(1))], [1], Array<number>(50).fill(1)),
  ),
  refused('tile-far', 'Tile 2^20 times along both axes', TOO_LARGE, () =>
    single('Tile', {}, [longs('t', [2 ** 20, 2 ** 20])], [1, 4], []),
  ),
  refused('tile-wrap', 'Tile 2^62 times along both axes', ['53 bits', ...TOO_LARGE], () =>
    single('Tile', {}, [longs('t', [2n ** 62n, 2n ** 62n])], [1, 4], []),
  ),
  refused('tile-negative', 'Tile −1 times', 'Tile', () => single('Tile', {}, [longs('t', [-1, 1])], [1, 4], [])),
  refused('tile-zero', 'Tile 0 times', ['Tile', 'elements'], () =>
    single('Tile', {}, [longs('t', [0, 1])], [1, 4], []),
  ),
  refused('constant-far', 'ConstantOfShape of 10^15 elements', [...TOO_LARGE, 'ConstantOfShape'], () =>
    net(
      [node('ConstantOfShape', ['t'], ['c']), node('Add', ['x', 'c'], ['y'])],
      [longs('t', [100_000, 100_000, 100_000])],
    ),
  ),
  refused('range-far', 'Range to 2^60', [...TOO_LARGE, 'Range', '53 bits'], () =>
    net(
      [node('Range', ['a', 'b', 'c'], ['r']), node('Cast', ['r'], ['f'], { to: 1n }), node('Add', ['x', 'f'], ['y'])],
      [0n, 2n ** 60n, 1n].map((number, i) => ({
        name: 'abc'[i] as string,
        dataType: 7,
        dims: [],
        int64Data: [number],
      })),
    ),
  ),
  refused('pad-far', 'Pad by 2^40', [...TOO_LARGE, 'Pad'], () =>
    single('Pad', {}, [longs('p', [0n, far, 0n, far])], [1, 4], []),
  ),
  refused('pad-wrap', 'Pad by 2^62 at both ends', ['Pad', '53 bits', ...TOO_LARGE], () =>
    single('Pad', {}, [longs('p', [0n, 2n ** 62n, 0n, 2n ** 62n])], [1, 4], []),
  ),
  refused('pad-crop', 'Pad that cuts more than there is', 'Pad', () =>
    single('Pad', {}, [longs('p', [0, -9, 0, 0])], [1, 4], []),
  ),
  refused('pad-count', 'Pad with three amounts for two axes', 'Pad', () =>
    single('Pad', {}, [longs('p', [0, 1, 0])], [1, 4], []),
  ),
  refused('resize-far', 'Resize by 10^6', [...TOO_LARGE, 'Resize'], () =>
    net([node('Resize', ['x', '', 's'], ['y'])], [floats('s', [4], [1, 1, 1e6, 1e6])], image, []),
  ),
  ...([0, -2, Number.NaN, Number.POSITIVE_INFINITY, 1e38] as const).map((scale) =>
    refused(`resize-${scale}`, `Resize by ${scale}`, ['Resize', '"s"', ...TOO_LARGE], () =>
      net([node('Resize', ['x', '', 's'], ['y'])], [floats('s', [4], [1, 1, scale, 2])], image, []),
    ),
  ),
  refused('resize-sizes', 'Resize to 2^40', ['Resize', ...TOO_LARGE], () =>
    net([node('Resize', ['x', '', '', 's'], ['y'])], [longs('s', [1n, 1n, far, 8n])], image, []),
  ),
  refused('resize-tiny', 'Resize by 10^−9', 'Resize', () =>
    net([node('Resize', ['x', '', 's'], ['y'])], [floats('s', [4], [1, 1, 1e-9, 1])], image, []),
  ),
  refused('conv-pads', 'Conv padded by 2^30', ['Conv', 'pad', ...TOO_LARGE], () =>
    single(
      'Conv',
      { pads: [2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30] },
      [floats('w', [1, 1, 3, 3], Array<number>(9).fill(1))],
      image,
      [],
    ),
  ),
  refused('conv-channels', 'Conv with weights for other channels', 'Conv', () =>
    single('Conv', {}, [floats('w', [1, 2, 3, 3], Array<number>(18).fill(1))], image, []),
  ),
  refused('pool-pads', 'AveragePool with a window of 2^40', ['AveragePool', 'pad', 'kernel', ...TOO_LARGE], () =>
    single('AveragePool', { kernel_shape: [far, far], pads: [far - 1n, far - 1n, far - 1n, far - 1n] }, [], image, []),
  ),
  refused('slice-step', 'Slice with steps of 0', 'Slice', () =>
    single('Slice', {}, [longs('a', [0]), longs('b', [4]), longs('c', [1]), longs('d', [0])]),
  ),
  refused('slice-axis', 'Slice along axis 9', ['axis', 'axes', 'Slice'], () =>
    single('Slice', {}, [longs('a', [0]), longs('b', [4]), longs('c', [9])]),
  ),
  refused('slice-nothing', 'Slice of nothing', ['Slice', 'elements'], () =>
    single('Slice', {}, [longs('a', [3]), longs('b', [1]), longs('c', [1])], [1, 4], []),
  ),
  refused('slice-counts', 'Slice with two starts and one end', 'Slice', () =>
    single('Slice', {}, [longs('a', [0, 0]), longs('b', [4]), longs('c', [1])], [1, 4], []),
  ),
  refused('split-sum', 'Split into parts that do not add up', 'Split', () =>
    net([node('Split', ['x', 'p'], ['y', 'z'], { axis: 1n })], [longs('p', [1, 9])], [1, 4], []),
  ),
  refused('split-negative', 'Split into −1 and 5', 'Split', () =>
    net([node('Split', ['x', 'p'], ['y', 'z'], { axis: 1n })], [longs('p', [-1, 5])], [1, 4], []),
  ),
  refused('broadcast-far', 'Add of a column and a row of 2^20', TOO_LARGE, () =>
    file({
      node: [node('Add', ['x', 'z'], ['y'])],
      input: [value('x', [2 ** 20, 1]), value('z', [1, 2 ** 20])],
      output: [value('y', [])],
    }),
  ),
  refused('matmul-far', 'MatMul of a column and a row of 2^20', [...TOO_LARGE, 'MatMul'], () =>
    file({
      node: [node('MatMul', ['x', 'z'], ['y'])],
      input: [value('x', [2 ** 20, 1]), value('z', [1, 2 ** 20])],
      output: [value('y', [])],
    }),
  ),
  refused('concat-far', 'Concat of 2^30 elements with themselves 8 times', TOO_LARGE, () =>
    net([node('Concat', Array<string>(8).fill('x'), ['y'], { axis: 0n })], [], [2 ** 15, 2 ** 15], []),
  ),
  refused('doubling-concat', 'a value joined with itself 64 times over', TOO_LARGE, () =>
    net(
      Array.from({ length: 64 }, (_, i) => {
        const from = i === 0 ? 'x' : `v${i}`
        return node('Concat', [from, from], [i === 63 ? 'y' : `v${i + 1}`], { axis: 1n })
      }),
      [],
      [1, 4],
      [],
    ),
  ),
  either('growing-3', 'constants that grow to 2^18 elements', growing(3)),
  either('growing-5', 'constants that grow to 2^30 elements', growing(5)),
  refused('growing-12', 'constants that grow to 2^72 elements', TOO_LARGE, growing(12)),
  either('wide-100', '100 constants of 64 MiB each, made from 4 bytes', wide(100)),
  either('wide-input', 'an input of 2^30 elements', input(1, 1024, 1024, 1024)),
  either('many-passes', 'a constant of 2^20 elements through 500 operators', () =>
    net(
      [
        node('Expand', ['c', 't'], ['v0']),
        ...Array.from({ length: 500 }, (_, i) => node(i % 2 === 0 ? 'Neg' : 'Exp', [`v${i}`], [`v${i + 1}`])),
        node('ReduceMax', ['v500'], ['m'], { keepdims: 0n }),
        node('Add', ['x', 'm'], ['y']),
      ],
      [floats('c', [1], [0.5]), longs('t', [2 ** 20])],
    ),
  ),
  accepted(
    'empty-list',
    'an empty list of regions, as Resize has',
    () =>
      net(
        [
          node('Resize', ['x', 'roi', 's'], ['y'], {
            coordinate_transformation_mode: 'asymmetric',
            nearest_mode: 'floor',
          }),
        ],
        [floats('roi', [0], []), floats('s', [4], [1, 1, 1, 2])],
        [1, 1, 1, 2],
        [1, 1, 1, 4],
      ),
    { x: [1, 2], y: [1, 1, 2, 2] },
  ),
  accepted('scalar', 'a scalar operand', () => net([node('Mul', ['x', 'k'], ['y'])], [floats('k', [], [2])]), {
    x: [1, 2, 3, 4],
    y: [2, 4, 6, 8],
  }),
  accepted(
    'batch',
    'a symbolic batch',
    () => file({ ...honestGraph, input: [value('x', ['N', 4])], output: [value('y', ['N', 4])] }),
    {
      x: [0, 1, -5, 10],
      y: [1, 0, 0, 6],
    },
  ),
])
