/** What bench/study asks: networks of ../real/networks.mjs on samples that calibration has not seen, and arithmetics. Data only. */

/** Formats of the table, for weights alone and for weights and activations. */
const formats = [
  ...['int8', 'int6', 'int4', 'e4m3', 'e5m2', 'e3m4', 'e2m3', 'e3m2', 'e2m1', 'flint4', 'ant4'],
  ...['e4m3-flexible', 'e2m1-flexible', 'int4-group32'],
  ...['mxfp8', 'mxfp6', 'mxfp4', 'mxint8', 'nvfp4', 'bfloat16'],
].join(',')

/** Kinds of products; sums are float32. */
const products = [
  ...['bfloat16', 'e4m3', 'e4m3-products', 'e5m2', 'e5m2-products'],
  ...['l-mul7', 'l-mul4', 'l-mul3', 'l-mul4-nearest', 'l-mul3-nearest'],
].join(',')

/**
 * @typedef {{ name: string, network: string, set: string, limit?: number, calibrated: boolean, words: string[] }} Question
 *   `network` and `set` as networks.mjs has them; `words` for `dyadic study`.
 */

/** @type {Question[]} */
export const questions = [
  ['resnet20', 'resnet20-cifar10', 'test_a', 1000],
  ['mobilenet', 'mobilenet_v2_1.0_224-dequantized', 'imagenet-samples, 400 others', undefined],
].flatMap(([name, network, set, limit]) => [
  {
    ...{ name: `${name}-weights`, network, set, limit, calibrated: false },
    words: ['--formats', formats, '--for', 'weights'],
  },
  {
    ...{ name, network, set, limit, calibrated: true },
    words: ['--formats', formats, '--for', 'weights,activations'],
  },
  ...(name === 'resnet20'
    ? [{ name: `${name}-products`, network, set, limit, calibrated: false, words: ['--products', products] }]
    : []),
])
