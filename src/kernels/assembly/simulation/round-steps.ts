/**
 * Rounds numbers to any set of values by its steps. The table at `table`: uint32 n, uint32 half, a double that replaces NaN; n
 * ordered keys of the steps b1 < b2 < … and 2·half keys that nothing reaches; n + 1 doubles v0 … vn; 8,193 counts. x / scale, a
 * double, becomes v of the number of steps that are not above it, times scale. The upper 13 bits of the quotient as a float32
 * choose a count below which all steps are reached; at most 2·half − 1 more can be, and those are searched without branches.
 */

/** A double that is no NaN as an integer of the same order, −0 below 0. */
// @ts-ignore: decorator
@inline
function keyOf(value: f64): i64 {
  const bits = reinterpret<i64>(value)
  return bits ^ ((bits >> 63) & i64.MAX_VALUE)
}

/** Number of the upper 13 bits of a float in increasing order of value. */
// @ts-ignore: decorator
@inline
function bucketOf(value: f64): u32 {
  const bits = reinterpret<u32>(<f32>value)
  return (bits ^ ((<u32>(<i32>bits >> 31)) | 0x80000000)) >> 19
}

/** Index of the value that `value`, not NaN, is rounded to. */
// @ts-ignore: decorator
@inline
function indexOf(value: f64, steps: usize, buckets: usize, half: usize): usize {
  const key = keyOf(value)
  let index = <usize>load<u32>(buckets + (<usize>bucketOf(value) << 2))
  for (; half; half >>= 1)
    index += half & -(<usize>(key >= load<i64>(steps + ((index + half) << 3) - 8)))
  return index
}

// @ts-ignore: decorator
@inline
function halfOf(table: usize): usize {
  return <usize>load<u32>(table, 4)
}

// @ts-ignore: decorator
@inline
function valuesOf(table: usize): usize {
  return table + 16 + ((<usize>load<u32>(table) + 2 * halfOf(table)) << 3)
}

// @ts-ignore: decorator
@inline
function bucketsOf(table: usize): usize {
  return valuesOf(table) + ((<usize>load<u32>(table) + 1) << 3)
}

// @ts-ignore: decorator
@inline
function roundOne(x: f32, scale: f64, steps: usize, values: usize, buckets: usize, half: usize): f32 {
  return <f32>(load<f64>(values + (indexOf(<f64>x / scale, steps, buckets, half) << 3)) * scale)
}

/** Rounds `count` floats. Input and output may be the same memory. Gives 1 where there was a NaN, else 0. */
export function roundSteps(input: usize, output: usize, count: i32, scale: f64, table: usize): i32 {
  const steps = table + 16, values = valuesOf(table), buckets = bucketsOf(table), half = halfOf(table)
  const ofNaN = <f32>load<f64>(table, 8)
  let unordered = 0
  for (const end = input + (<usize>count << 2); input < end; input += 4, output += 4) {
    const x = load<f32>(input)
    if (x != x) {
      unordered = 1
      store<f32>(output, ofNaN)
    } else store<f32>(output, roundOne(x, scale, steps, values, buckets, half))
  }
  return unordered
}

/** The same for rows of `lanes` floats with one double of `scales` per lane. */
export function roundStepsLanes(input: usize, output: usize, rows: i32, lanes: i32, scales: usize, table: usize): i32 {
  const steps = table + 16, values = valuesOf(table), buckets = bucketsOf(table), half = halfOf(table)
  const ofNaN = <f32>load<f64>(table, 8)
  let unordered = 0
  for (let row = 0; row < rows; row++) {
    for (let lane = 0; lane < lanes; lane++, input += 4, output += 4) {
      const x = load<f32>(input)
      if (x != x) {
        unordered = 1
        store<f32>(output, ofNaN)
      } else store<f32>(output, roundOne(x, load<f64>(scales + (<usize>lane << 3)), steps, values, buckets, half))
    }
  }
  return unordered
}

/** A float (`width` 4) or double (8). */
// @ts-ignore: decorator
@inline
function loadNumber(input: usize, width: i32): f64 {
  return width == 4 ? <f64>load<f32>(input) : load<f64>(input)
}

/** Rounds `count` floats (`width` 4) or doubles (8) to doubles. Gives 1 where there was a NaN, else 0. */
export function quantizeSteps(input: usize, width: i32, output: usize, count: i32, scale: f64, table: usize): i32 {
  const steps = table + 16, values = valuesOf(table), buckets = bucketsOf(table), half = halfOf(table)
  const ofNaN = load<f64>(table, 8)
  let unordered = 0
  for (const end = output + (<usize>count << 3); output < end; input += <usize>width, output += 8) {
    const x = loadNumber(input, width)
    if (x != x) {
      unordered = 1
      store<f64>(output, ofNaN)
    } else store<f64>(output, load<f64>(values + (indexOf(x / scale, steps, buckets, half) << 3)) * scale)
  }
  return unordered
}

/**
 * Codes of `codeWidth` bytes of `count` floats (`width` 4) or doubles (8). `stepCodes` holds a uint16 for each value of the
 * table; NaN becomes `nanCode`. Gives 1 where there was one, else 0.
 */
export function encodeSteps(
  input: usize, width: i32, codes: usize, codeWidth: i32, count: i32, scale: f64, table: usize, stepCodes: usize,
  nanCode: i32,
): i32 {
  const steps = table + 16, buckets = bucketsOf(table), half = halfOf(table)
  let unordered = 0
  for (const end = codes + <usize>count * <usize>codeWidth; codes < end; input += <usize>width) {
    const x = loadNumber(input, width)
    let code = nanCode
    if (x != x) unordered = 1
    else code = load<u16>(stepCodes + (indexOf(x / scale, steps, buckets, half) << 1))
    if (codeWidth == 1) store<u8>(codes, <u8>code)
    else store<u16>(codes, <u16>code)
    codes += <usize>codeWidth
  }
  return unordered
}

/** Floats of codes of `codeWidth` bytes: the double at `values` times scale. Gives the largest code. */
export function decodeCodes(codes: usize, codeWidth: i32, output: usize, count: i32, scale: f64, values: usize): i32 {
  let most = 0
  for (const end = output + (<usize>count << 2); output < end; output += 4, codes += <usize>codeWidth) {
    const code = codeWidth == 1 ? <i32>load<u8>(codes) : <i32>load<u16>(codes)
    most = max(most, code)
    store<f32>(output, <f32>(load<f64>(values + (<usize>code << 3)) * scale))
  }
  return most
}
