/**
 * Kinds of values in random networks, and how many bits of a float32 they need. Numbers are small multiples of 1/4, so that
 * sums of their products are the same in any order as long as they need no more bits than a mantissa has.
 */

/** Bits of a float32 mantissa. */
export const MANTISSA = 24
/** Bits of what is rounded. */
export const INEXACT = Number.POSITIVE_INFINITY

/** Bits that values of a type need as inputs and constants are drawn. */
const BITS = { float32: 7, uint8: 8, int8: 8, int32: 8, int64: 8, bool: 1 }
export const bitsOf = (type) => BITS[type]

export const log2 = (n) => Math.ceil(Math.log2(Math.max(1, n)))
export const product = (dims) => dims.reduce((a, b) => a * b, 1)

export const isFloat = ({ type }) => type === 'float32'
export const isExact = ({ type, bits }) => type === 'float32' && bits <= MANTISSA
export const isImage = (value) => isFloat(value) && value.shape.length === 4
export const isNumber = ({ type }) => type !== 'bool'
export const isInteger = ({ type }) => type === 'int32' || type === 'int64'
export const isCode = ({ type }) => type === 'uint8' || type === 'int8'
