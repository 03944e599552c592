/**
 * Networks without labelled data: calibrated on 32 natural inputs, tested on 16 others against the float network. Data only;
 * paths are relative to the repository's root.
 *
 * Pictures are chosen by index where a network answers to most of the 500 (YOLOX to three quarters): calibration takes every
 * 16th, from 0, the test every 32nd, from 8. Faces and hands are rare among them (YuNet finds one in 24, the palm detector in
 * 107, UltraFace in 114), and a detector that sees none gives boxes that mean nothing: for these three, calibration and test
 * share out the 48 pictures on which the float network's best score is highest, every third of the ranking, from the second,
 * for the test (`node bench/real/choose-pictures.mjs <network>` prints both lists). No integer network had a say in any choice.
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
 * @typedef {{ sqnrDb: number, overlap?: number, known?: { sqnrDb?: number, overlap?: number, reason: string } }} Gates Least
 *   SQNR of every output; `known` are the floors of a miss that is named; least intersection over union between the
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

/**
 * Both cards of a network for pictures; `chosen` in place of the splits by index.
 * @param {object} image @param {object} [input] @param {{ calibration: number[], test: number[] }} [chosen]
 */
const bothCards = (image, input, chosen) => ({
  data: '../shared/data/imagenet-samples',
  set: `imagenet-samples, 16 ${chosen ? 'of the 48 with the highest float scores' : 'with index % 32 = 8'}`,
  calibration: pictures(image, input, chosen ? { indices: chosen.calibration } : CALIBRATION_SPLIT),
  test: pictures(image, input, chosen ? { indices: chosen.test } : TEST_SPLIT),
})

/** @param {keyof typeof DETECTION} decoder @param {Gates['known']} [known] */
const detector = (decoder, known) => ({
  boxes: { decoder, score: DETECTION[decoder] },
  gates: { sqnrDb: 25, overlap: 0.9, ...(known && { known }) },
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
      {
        calibration: [
          2, 12, 33, 77, 81, 84, 89, 94, 108, 120, 128, 189, 191, 216, 225, 226, 236, 278, 284, 289, 291, 307, 310, 321,
          326, 350, 377, 385, 438, 441, 458, 468,
        ],
        test: [97, 102, 200, 211, 222, 228, 235, 276, 279, 322, 396, 431, 436, 453, 482, 491],
      },
    ),
    ...detector('ultraFace', {
      overlap: 0.82,
      reason: '8-bit activations move small boxes below the score of a detection; 16 bits bring 0.95',
    }),
  },
  {
    model: '../shared/models/yunet/yunet_n_320_320.onnx',
    ...bothCards({ resize: [320, 320], channels: 'bgr' }, undefined, {
      calibration: [
        81, 84, 102, 133, 157, 189, 211, 215, 216, 222, 226, 228, 236, 258, 278, 279, 280, 289, 291, 307, 326, 350, 351,
        377, 396, 401, 431, 436, 438, 445, 453, 458,
      ],
      test: [2, 120, 200, 225, 235, 261, 276, 283, 310, 321, 335, 421, 440, 441, 468, 491],
    }),
    ...detector('yuNet'),
  },
  {
    model: '../shared/models/palm-detection/palm_detection_lite.onnx',
    ...bothCards(
      { resizeShorterSide: 192, crop: [192, 192], channels: 'rgb', layout: 'hwc' },
      { divide: 255 },
      {
        calibration: [
          13, 59, 83, 84, 90, 118, 122, 123, 133, 200, 215, 216, 240, 274, 275, 279, 280, 289, 307, 310, 370, 388, 415,
          417, 421, 436, 438, 441, 459, 468, 491, 499,
        ],
        test: [2, 65, 79, 102, 147, 195, 196, 212, 225, 228, 245, 361, 366, 377, 392, 453],
      },
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
