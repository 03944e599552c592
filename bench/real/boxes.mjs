/**
 * Boxes from the outputs of detectors, one for each anchor and before any suppression, and how much two boxes overlap. A box
 * is [left, top, right, bottom]; the unit is the decoder's own, since only overlaps count.
 */

/** @typedef {{ scores: Float64Array, boxes: Float64Array[] }} Detections Score and box by anchor. */
/** @typedef {(outputs: ReadonlyMap<string, Float32Array>) => Detections} Decoder From outputs by their ONNX names. */

/** Cells of square grids with the strides' sides, row by row, stride after stride. */
function cells(side, strides) {
  return strides.flatMap((stride) => {
    const count = side / stride
    return Array.from({ length: count * count }, (_, i) => ({ stride, column: i % count, row: Math.floor(i / count) }))
  })
}

const aroundCentre = (x, y, width, height) =>
  Float64Array.of(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

/**
 * YOLOX (Ge et al., 2021): centre (cell + (dx, dy)) × stride, size exp(dw, dh) × stride; the score is objectness × the best
 * class.
 * @type {Decoder}
 */
function yolox(outputs) {
  const rows = outputs.get('output')
  const grid = cells(416, [8, 16, 32])
  const width = rows.length / grid.length
  const scores = new Float64Array(grid.length)
  const boxes = grid.map(({ stride, column, row }, i) => {
    const [dx, dy, dw, dh, objectness, ...classes] = rows.subarray(i * width, (i + 1) * width)
    scores[i] = objectness * Math.max(...classes)
    return aroundCentre((column + dx) * stride, (row + dy) * stride, Math.exp(dw) * stride, Math.exp(dh) * stride)
  })
  return { scores, boxes }
}

/** UltraFace decodes in the network: corners in 0..1, and the second of two softmax scores. @type {Decoder} */
function ultraFace(outputs) {
  const [scores, corners] = [outputs.get('scores'), outputs.get('boxes')]
  return {
    scores: Float64Array.from({ length: scores.length / 2 }, (_, i) => scores[2 * i + 1]),
    boxes: Array.from({ length: corners.length / 4 }, (_, i) => Float64Array.from(corners.subarray(4 * i, 4 * i + 4))),
  }
}

const unit = (value) => Math.min(1, Math.max(0, value))

/**
 * YuNet (Wu, Peng and Yu, 2023), as OpenCV's FaceDetectorYN decodes it: centre (cell + (dx, dy)) × stride, size exp(dw, dh) ×
 * stride; the score is √(class × objectness), both cut to 0..1.
 * @type {Decoder}
 */
function yuNet(outputs) {
  const strides = [8, 16, 32]
  const all = (kind) => strides.flatMap((stride) => [...outputs.get(`${kind}_${stride}`)])
  const [classes, objectness, offsets] = [all('cls'), all('obj'), all('bbox')]
  return {
    scores: Float64Array.from(classes, (score, i) => Math.sqrt(unit(score) * unit(objectness[i]))),
    boxes: cells(320, strides).map(({ stride, column, row }, i) => {
      const [dx, dy, dw, dh] = offsets.slice(4 * i, 4 * i + 4)
      return aroundCentre((column + dx) * stride, (row + dy) * stride, Math.exp(dw) * stride, Math.exp(dh) * stride)
    }),
  }
}

/**
 * MediaPipe's palm detector: anchors are the centres of 24 × 24 cells (2 each) and 12 × 12 cells (6 each); a box is centre −
 * anchor and size in pixels of 192; the score is the sigmoid of the logit.
 * @type {Decoder}
 */
function palm(outputs) {
  const [rows, logits] = [outputs.get('Identity'), outputs.get('Identity_1')]
  const anchors = [8, 16].flatMap((stride) =>
    cells(192, [stride]).flatMap((cell) => Array.from({ length: stride === 8 ? 2 : 6 }, () => cell)),
  )
  return {
    scores: Float64Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit))),
    boxes: anchors.map(({ stride, column, row }, i) => {
      const [dx, dy, width, height] = rows.subarray(18 * i, 18 * i + 4)
      return aroundCentre((column + 0.5) * stride + dx, (row + 0.5) * stride + dy, width, height)
    }),
  }
}

/** Decoders by the names that natural.mjs uses. */
export const decoders = { yolox, ultraFace, yuNet, palm }

/** Anchors of the `count` greatest scores, greatest first, the lower anchor first among equals. */
export function bestAnchors(scores, count) {
  return [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b).slice(0, count)
}

/** Intersection over union, 0..1; 0 where either box is empty. */
export function overlap(a, b) {
  const area = ([left, top, right, bottom]) => Math.max(0, right - left) * Math.max(0, bottom - top)
  const shared = area([0, 1].map((i) => Math.max(a[i], b[i])).concat([2, 3].map((i) => Math.min(a[i], b[i]))))
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared)
}
