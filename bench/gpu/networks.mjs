/** The networks of the GPU benches, as models and the way to a plan; paths are relative to the repository's root. */
const cifar = (first, input = { divide: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }) => ({
  schema: 1,
  samples: { kind: 'cifar', files: ['train_lossless.bin'] },
  input,
  split: { first },
})

export const networks = [
  {
    name: 'resnet20',
    model: '../shared/models/resnet-cifar10/resnet20-cifar10.onnx',
    data: '../shared/data/cifar10',
    calibration: cifar(32),
    /** What onnxruntime-web runs in floating point. */
    float: '../shared/models/resnet-cifar10/resnet20-cifar10.onnx',
  },
  {
    name: 'mobilenet-v2',
    model: '../shared/models/mobilenet-v2/mobilenet_v2_1.0_224-qdq.onnx',
    float: '../shared/models/mobilenet-v2/mobilenet_v2_1.0_224-dequantized.onnx',
  },
  {
    name: 'vit-cifar10',
    model: '../shared/models/vit-cifar10/vit-cifar10.onnx',
    data: '../shared/data/cifar10',
    calibration: cifar(32, { divide: 255, mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] }),
    float: '../shared/models/vit-cifar10/vit-cifar10.onnx',
  },
  {
    name: 'glyphs-transformer',
    model: 'examples/glyphs/glyphs-transformer.onnx',
    data: 'examples/glyphs',
    calibration: {
      schema: 1,
      name: 'glyphs-calibrate',
      samples: { kind: 'glyphs', seed: 1, first: 100000, count: 32 },
      labels: { kind: 'inline' },
      input: { scale: 0.00392156862745098, offset: 0 },
    },
    float: 'examples/glyphs/glyphs-transformer.onnx',
  },
]
