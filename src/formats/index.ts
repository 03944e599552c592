/** `dyadic/formats`: number formats as records, exact to the last bit. Runs anywhere. */

export { flintFormat, powerFormat, powerOfTwoFormat } from './adaptive.ts'
export { add, compare, multiply, subtract } from './arithmetic.ts'
export {
  type BlockFormat,
  type BlockOptions,
  type BlockScaling,
  type BlockTensor,
  bitsPerElement,
  decodeBlocks,
  encodeBlocks,
} from './blocks.ts'
export {
  type Codes,
  type ConversionLosses,
  conversionLosses,
  decodeArray,
  type EncodeOptions,
  encodeArray,
  finiteValues,
  quantizeArray,
} from './bulk.ts'
export {
  type CatalogueEntry,
  catalogue,
  elementFormatNamed,
  type Format,
  formatNamed,
  namePatterns,
} from './catalogue.ts'
export { decode, encode, largest, round, valuesOf } from './convert.ts'
export {
  addFixedPoint,
  downConversionShift,
  downConvert,
  type FixedPointTensor,
  safeChainLength,
} from './dynamic-fixed-point.ts'
export { type ElementFormat, type Rounding, roundings, saturating } from './element-format.ts'
export { flintCode, type Grid, magnitude } from './grid.ts'
export { type IntegerOptions, integerFormat } from './integers.ts'
export { exponentFormat, type MinifloatConvention, type MinifloatOptions, minifloatFormat } from './minifloats.ts'
export { packCodes, packedLength, unpackCodes } from './packing.ts'
export {
  bitLetters,
  bitPicture,
  blockPicture,
  type FormatFacts,
  formatFacts,
  gridPlot,
  shortNumber,
  valueLines,
} from './picture.ts'
export { type FormatScore, rankFormats, signalToNoise } from './ranking.ts'
export {
  flexibleBias,
  largestMagnitude,
  quantizeChannels,
  scaleFor,
  scaleOfBias,
  searchScale,
  squaredError,
} from './scale.ts'
