/** `dyadic/data/node`: file access and picture decoding for data sets on Node. */

export { DEFAULT_FILE_LIMIT, nodeFiles } from './node-files.ts'
export { decodeImage } from './node-image-decoder.ts'
