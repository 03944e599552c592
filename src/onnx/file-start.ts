/**
 * Says what a file that could not be decoded probably is, from its first bytes, so that the message helps somebody who
 * passed the wrong file. It never decides whether a file is accepted: only decoding does.
 */
import { expectedWireType } from './decode.ts'

const TEXT_SAMPLE = 64

/**
 * A description that completes "the file does not start like an ONNX model (protobuf): it …", or `undefined` for a file
 * that does start like one.
 */
export function describeForeignStart(bytes: Uint8Array): string | undefined {
  const head = bytes.subarray(0, TEXT_SAMPLE)
  const startsWith = (text: string): boolean =>
    text.length <= head.length && [...text].every((character, i) => character.charCodeAt(0) === head[i])
  if (startsWith('version https://git-lfs'))
    return 'is a Git LFS pointer, not the model itself; fetch the model with `git lfs pull`'
  if (startsWith('PK\x03\x04'))
    return 'is a ZIP archive, as PyTorch checkpoints are; export the network with torch.onnx.export'
  if (startsWith('\x1f\x8b')) return 'is compressed with gzip; decompress it first'
  if (startsWith('\x89HDF')) return 'is an HDF5 file, as Keras writes; convert the network with tf2onnx'
  if (startsWith('\x89PNG') || startsWith('\xff\xd8\xff')) return 'is a picture'
  if (startsWith('\0asm')) return 'is a WebAssembly module; this command needs the ONNX model it was made from'
  if (head.length >= 8 && String.fromCharCode(...head.subarray(4, 8)) === 'TFL3')
    return 'is a TensorFlow Lite model; convert it with tf2onnx'
  if (isText(head)) return 'looks like a text file'
  // Every field of a model has a number below 32: its tag takes one byte below 0x80, or two ending in 0x01.
  const number = head[0] < 0x80 ? head[0] >> 3 : ((head[1] ?? 0) << 4) | ((head[0] & 0x7f) >> 3)
  if (expectedWireType('ModelProto', number) === (head[0] & 7)) return undefined
  const hex = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0'))
  return `begins with the bytes ${hex.join(' ')}`
}

function isText(head: Uint8Array): boolean {
  if (!head.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)) return false
  try {
    // As a stream, because the sample may end within a character.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return true
  } catch {
    return false
  }
}
