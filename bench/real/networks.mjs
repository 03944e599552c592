/**
 * The real networks, the samples they are calibrated and evaluated on, and what must hold. Data only; paths are relative
 * to the repository's root. Calibration and evaluation samples of a network are disjoint: other files, or other indices.
 *
 * Float counts come from ONNX Runtime on the same samples, so that they prove the preprocessing and the float executor.
 * The float network of a quantised (QDQ) file is that network without the file's own roundings. With them its logits lie on
 * an 8-bit grid, the best ones are often equal, and which of them wins changes with the order of summation: the file's 450
 * of 500 counts such ties as hits, ONNX Runtime gives 448 or 449 without that, by optimisation level.
 */

/**
 * @typedef {{
 *   float?: number,
 *   integerAtLeast?: number,
 *   lostMinusGained?: number,
 *   agreement?: number,
 * }} Gates `float` correct samples ± 1; `integerAtLeast` correct samples; `lostMinusGained` the most of it;
 *   `agreement` the least share of samples with the same answer.
 * @typedef {{ set: string, card: object, gates: Gates }} Evaluation
 * @typedef {{ model: string, data: string, calibration?: object, evaluations: Evaluation[] }} RealNetwork `model` is the
 *   ONNX file, `data` the folder of the cards' files; without `calibration` the file's own numbers are used.
 */

/** The means and deviations of ImageNet, which the ResNets were trained with, and those of CIFAR-10 itself. */
const imagenetInput = { divide: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }
const cifarInput = { divide: 255, mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] }

/** @param {string} file @param {object} [split] @param {object} [input] */
const cifar = (file, split, input = imagenetInput) => ({
  ...{ schema: 1, name: file.replace('.bin', ''), samples: { kind: 'cifar', files: [file] } },
  ...{ labels: { kind: 'inline' }, input, ...(split && { split }) },
})

/** Pixels as they are. @param {string} file @param {object} [split] */
const rawCifar = (file, split) => cifar(file, split, { scale: 1, offset: 0 })

/** @param {string} name @param {object} [split] */
const mnist = (name, split) => ({
  ...{ schema: 1, name, samples: { kind: 'idx', file: `${name}-images.idx3` } },
  ...{ labels: { kind: 'idx', file: `${name}-labels.idx1` }, ...(split && { split }) },
})

/**
 * ImageNet pictures for networks whose output 0 is "background" (so class k is output k + 1).
 * @param {object} [split] @param {number} [shorterSide] @param {number} [side]
 */
const pictures = (split, shorterSide = 256, side = 224) => ({
  ...{ schema: 1, name: 'imagenet-samples', samples: { kind: 'images', tar: 'images.tar' } },
  labels: { kind: 'csv', file: 'labels.csv', labelColumn: 'label', offset: 1 },
  image: { resizeShorterSide: shorterSide, crop: [side, side], channels: 'rgb' },
  input: { scale: 1 / 128, offset: 128 },
  ...(split && { split }),
})

/** The same pictures as SqueezeNet wants them: blue first, means subtracted, 1000 classes. @param {object} [split] */
const bluePictures = (split) => ({
  ...pictures(split, 256, 227),
  labels: { kind: 'csv', file: 'labels.csv', labelColumn: 'label' },
  image: { resizeShorterSide: 256, crop: [227, 227], channels: 'bgr' },
  input: { scale: 1, offset: [104, 117, 123] },
})

/** @param {object} [split] */
const keywords = (split) => ({
  ...{
    schema: 1,
    name: 'kws-mfcc',
    samples: { kind: 'raw', file: 'features.i8.bin', type: 'int8', shape: [1, 49, 10] },
  },
  labels: { kind: 'csv', file: 'labels.csv', labelColumn: 'label' },
  input: { scale: 0.5847029, offset: 83 },
  ...(split && { split }),
})

/** Every fifth sample calibrates, the others count. */
const fifth = { every: 5, phase: 0 }
const others = { except: fifth }

/** @param {string} name @param {number} first @param {number} count */
const glyphs = (name, first, count) => ({
  ...{ schema: 1, name, samples: { kind: 'glyphs', seed: 1, first, count } },
  ...{ labels: { kind: 'inline' }, input: { scale: 1 / 255, offset: 0 } },
})

/** @type {RealNetwork[]} */
export const networks = [
  {
    model: '../shared/models/mnist/opt-mnist.onnx',
    data: '../shared/data/mnist',
    calibration: mnist('train', { first: 2000 }),
    evaluations: [
      { set: 't10k-a', card: mnist('t10k-a'), gates: { float: 4915, lostMinusGained: 10, agreement: 0.995 } },
    ],
  },
  {
    model: '../shared/models/resnet-cifar10/resnet20-cifar10.onnx',
    data: '../shared/data/cifar10',
    calibration: cifar('train_lossless.bin', { first: 256 }),
    evaluations: [
      { set: 'test_a', card: cifar('test_a.bin'), gates: { float: 3244, lostMinusGained: 15, agreement: 0.975 } },
      { set: 'test_lossless_100', card: cifar('test_lossless_100.bin'), gates: { float: 94, lostMinusGained: 2 } },
    ],
  },
  {
    model: '../shared/models/mobilenet-v2/mobilenet_v2_1.0_224-qdq.onnx',
    data: '../shared/data/imagenet-samples',
    evaluations: [
      {
        set: 'imagenet-samples',
        card: pictures(),
        gates: { float: 450, integerAtLeast: 448 },
      },
    ],
  },
  {
    model: '../shared/models/mobilenet-v2/mobilenet_v2_1.0_224-dequantized.onnx',
    data: '../shared/data/imagenet-samples',
    calibration: pictures(fifth),
    evaluations: [
      {
        set: 'imagenet-samples, 400 others',
        card: pictures(others),
        gates: { float: 363, lostMinusGained: 4, agreement: 0.95 },
      },
    ],
  },
  {
    model: '../shared/models/mobilenet-v1-0.5/mobilenet_v1_0.5_160-dequantized.onnx',
    data: '../shared/data/imagenet-samples',
    calibration: pictures(fifth, 182, 160),
    evaluations: [
      {
        set: 'imagenet-samples, 400 others',
        card: pictures(others, 182, 160),
        gates: { lostMinusGained: 4, agreement: 0.95 },
      },
    ],
  },
  {
    model: '../shared/models/squeezenet1.1/squeezenet1.1.onnx',
    data: '../shared/data/imagenet-samples',
    calibration: bluePictures(fifth),
    evaluations: [
      {
        set: 'imagenet-samples, 400 others',
        card: bluePictures(others),
        gates: { lostMinusGained: 4, agreement: 0.935 },
      },
    ],
  },
  {
    model: '../shared/models/mlperf-tiny/kws_dscnn.onnx',
    data: '../shared/data/kws-mfcc',
    calibration: keywords(fifth),
    evaluations: [
      { set: 'kws-mfcc, 400 others', card: keywords(others), gates: { lostMinusGained: 4, agreement: 0.97 } },
    ],
  },
  {
    model: '../shared/models/mlperf-tiny/ic_resnet8_cifar10.onnx',
    data: '../shared/data/cifar10',
    calibration: rawCifar('train_lossless.bin', { first: 256 }),
    evaluations: [
      { set: 'test_a', card: rawCifar('test_a.bin'), gates: { float: 3048, lostMinusGained: 15, agreement: 0.97 } },
    ],
  },
  {
    model: '../shared/models/resnet-cifar10/resnet56-cifar10.onnx',
    data: '../shared/data/cifar10',
    calibration: cifar('train_lossless.bin', { first: 256 }),
    evaluations: [
      { set: 'test_a', card: cifar('test_a.bin'), gates: { float: 3318, lostMinusGained: 15, agreement: 0.97 } },
    ],
  },
  {
    model: '../shared/models/vit-cifar10/vit-cifar10.onnx',
    data: '../shared/data/cifar10',
    calibration: cifar('train_lossless.bin', { first: 256 }, cifarInput),
    evaluations: [
      {
        set: 'test_a',
        card: cifar('test_a.bin', undefined, cifarInput),
        gates: { float: 3454, lostMinusGained: 20, agreement: 0.97 },
      },
    ],
  },
  // Quantised files: at most two right answers fewer than ONNX Runtime has with the same file. MobileNetV1's 354 of 500 count
  // equal best scores as hits; the first of equals is right 348 times, there as here, where all outputs are equal.
  {
    model: '../shared/models/mobilenet-v1-0.5/mobilenet_v1_0.5_160-qdq.onnx',
    data: '../shared/data/imagenet-samples',
    evaluations: [{ set: 'imagenet-samples', card: pictures(undefined, 182, 160), gates: { integerAtLeast: 348 } }],
  },
  {
    model: '../shared/models/mlperf-tiny/kws_dscnn-qdq.onnx',
    data: '../shared/data/kws-mfcc',
    evaluations: [{ set: 'kws-mfcc', card: keywords(), gates: { integerAtLeast: 451 } }],
  },
  {
    model: '../shared/models/mlperf-tiny/ic_resnet8_cifar10-qdq.onnx',
    data: '../shared/data/cifar10',
    evaluations: [{ set: 'test_a', card: rawCifar('test_a.bin'), gates: { integerAtLeast: 3016 } }],
  },
  {
    model: 'examples/glyphs/glyphs.onnx',
    data: 'examples/glyphs',
    calibration: glyphs('glyphs-calibrate', 100000, 256),
    evaluations: [
      {
        set: 'glyphs',
        card: glyphs('glyphs', 200000, 1000),
        gates: { float: 976, lostMinusGained: 5, agreement: 0.99 },
      },
    ],
  },
  {
    model: 'examples/glyphs/glyphs-transformer.onnx',
    data: 'examples/glyphs',
    calibration: glyphs('glyphs-calibrate', 100000, 256),
    evaluations: [
      {
        set: 'glyphs',
        card: glyphs('glyphs', 200000, 1000),
        gates: { float: 993, lostMinusGained: 5, agreement: 0.99 },
      },
    ],
  },
]

/** The model file's name without `.onnx`. @param {RealNetwork} network */
export const networkName = ({ model }) => model.slice(model.lastIndexOf('/') + 1, -'.onnx'.length)
