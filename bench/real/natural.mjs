/**
 * Networks without labelled data: calibrated on 32 natural inputs, tested on 16 others against the float network. Data only;
 * paths are relative to the repository's root.
 *
 * Pictures are chosen by index. Calibration takes every 16th of the 500, from 0. The test takes every 32nd, from 8, where a
 * network answers to most pictures (YOLOX: 358 of the 468 outside calibration). Faces and hands are rarer (YuNet 24, palm
 * detector 100, UltraFace 109), and a detector that sees none gives boxes that mean nothing: for these three the test takes
 * the 16 pictures outside calibration on which the float network's best score is highest (`node
 * bench/real/choose-pictures.mjs <network>` prints them). No integer network had a say in any choice.
 *
 * Speech: calibration has the first 35 s of one recording and two speakers of another set, the test what lies behind 36 s, two
 * other speakers, and a third recording.
 */

/**
 * @typedef {{
 *   model: string, data: string, calibration: object | import('./clips.mjs').ClipSet, test: object | import('./clips.mjs').ClipSet,
 *   set: string, boxes?: { decoder: keyof typeof import('./boxes.mjs').decoders, score: number }, gates: Gates,
 * }} NaturalNetwork `calibration` and `test` are data cards or lists of clips, with files in the folder `data`; `set` names
 *   them in reports; `score` is the least that the network's authors call a detection.
 * @typedef {{ sqnrDb: number, overlap?: number }} Gates Least SQNR of every output; least intersection over union between the
 *   float box and the program's at the same anchor, for the 20 best float boxes of every test picture.
 */

/** Least score of a drawn box in the authors' own demonstrations. */
const DETECTION = { yolox: 0.3, ultraFace: 0.7, yuNet: 0.9, palm: 0.5 }

/** @param {object} image @param {object | undefined} input @param {object} split */
const pictures = (image, input, split) => ({
  ...{ schema: 1, name: 'imagenet-samples', samples: { kind: 'images', tar: 'images.tar' } },
  ...{ image, split },
  ...(input && { input }),
})

const CALIBRATION_SPLIT = { every: 16, phase: 0 }
const TEST_SPLIT = { every: 32, phase: 8 }

/** Both cards of a network for pictures. @param {object} image @param {object} [input] @param {number[]} [chosen] */
const bothCards = (image, input, chosen) => ({
  data: '../shared/data/imagenet-samples',
  set: `imagenet-samples, 16 ${chosen ? 'of highest float score' : 'with index % 32 = 8'}`,
  calibration: pictures(image, input, CALIBRATION_SPLIT),
  test: pictures(image, input, chosen ? { indices: chosen } : TEST_SPLIT),
})

const detector = (decoder) => ({
  boxes: { decoder, score: DETECTION[decoder] },
  gates: { sqnrDb: 25, overlap: 0.9 },
})

/** Numbers first, first + step, … @param {number} count @param {number} step @param {number} [first] */
const steps = (count, step, first = 0) => Array.from({ length: count }, (_, i) => first + i * step)

const SPEECH = 'models/silero-vad/test.wav'
const DIGITS = 'data/fsdd/recordings.tar'

/**
 * Clips for calibration and test, with `count` of every part and their distance in seconds.
 * @param {'speech-quality' | 'machine-sound'} features
 */
const bothClips = (features, speech, digits, noisy) => ({
  ...{ data: '../shared', set: 'speech: silero-vad from 36 s, noisy mix, fsdd lucas and nicolas' },
  calibration: {
    ...{ name: 'speech: silero-vad to 36 s, fsdd george and jackson', features },
    clips: [
      { file: SPEECH, seconds: steps(14, speech) },
      { file: DIGITS, speaker: 'george', seconds: steps(9, digits) },
      { file: DIGITS, speaker: 'jackson', seconds: steps(9, digits) },
    ],
  },
  test: {
    ...{ name: 'speech: silero-vad from 36 s, noisy mix, fsdd lucas and nicolas', features },
    clips: [
      { file: SPEECH, seconds: steps(8, speech, 36) },
      { file: 'data/audio/noisy_mix_16k.wav', seconds: [noisy] },
      { file: DIGITS, speaker: 'lucas', seconds: steps(4, digits) },
      { file: DIGITS, speaker: 'nicolas', seconds: steps(3, digits) },
    ],
  },
})

/** @type {NaturalNetwork[]} */
export const naturalNetworks = [
  {
    model: '../shared/models/mlperf-tiny/vww_mobilenetv1_0.25_96.onnx',
    ...bothCards({ resizeShorterSide: 96, crop: [96, 96], channels: 'rgb' }, { divide: 255 }),
    gates: { sqnrDb: 25 },
  },
  {
    model: '../shared/models/yolox-nano/yolox_nano.onnx',
    ...bothCards({ resize: [416, 416], channels: 'bgr' }),
    ...detector('yolox'),
  },
  {
    model: '../shared/models/ultraface/version-RFB-320.onnx',
    ...bothCards(
      { resize: [240, 320], channels: 'rgb' },
      { scale: 1 / 128, offset: 127 },
      [102, 120, 226, 276, 279, 289, 307, 310, 321, 326, 350, 438, 441, 453, 468, 491],
    ),
    ...detector('ultraFace'),
  },
  {
    model: '../shared/models/yunet/yunet_n_320_320.onnx',
    ...bothCards(
      { resize: [320, 320], channels: 'bgr' },
      undefined,
      [102, 120, 133, 211, 225, 226, 228, 276, 289, 307, 326, 350, 438, 453, 468, 491],
    ),
    ...detector('yuNet'),
  },
  {
    model: '../shared/models/palm-detection/palm_detection_lite.onnx',
    ...bothCards(
      { resizeShorterSide: 192, crop: [192, 192], channels: 'rgb', layout: 'hwc' },
      { divide: 255 },
      [65, 79, 215, 225, 245, 279, 289, 307, 310, 415, 417, 421, 441, 453, 468, 491],
    ),
    ...detector('palm'),
  },
  {
    model: '../shared/models/super-resolution/super_resolution.onnx',
    ...bothCards({ resizeShorterSide: 224, crop: [224, 224], channels: 'gray' }, { divide: 255 }),
    gates: { sqnrDb: 25 },
  },
  {
    model: '../shared/models/dnsmos-p808/model_v8.onnx',
    ...bothClips('speech-quality', 2, 9.1, 0.5),
    gates: { sqnrDb: 25 },
  },
  {
    model: '../shared/models/mlperf-tiny/ad_autoencoder.onnx',
    ...bothClips('machine-sound', 2.5, 7, 3),
    gates: { sqnrDb: 25 },
  },
]
