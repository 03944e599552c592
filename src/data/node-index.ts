/** `dyadic/data/node`: file access and picture decoding for data sets on Node. */
export { decodeImage } from './node-image-decoder.ts'
export { DEFAULT_FILE_LIMIT, nodeFiles } from './node-files.ts'
