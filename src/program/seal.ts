/**
 * The seal: a last custom section `dyadic.seal` with the SHA-256 of every byte before it. It has one fixed encoding of
 * {@link SEAL_BYTES} bytes, so a changed, missing or appended byte anywhere in the file is found. It protects against
 * damage, not against somebody who can compute a hash.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { DyadicError } from '../error.ts'
import { hexadecimal } from '../lower/print.ts'
import { encodeCustomSection } from './wasm/encode.ts'

/** Name of the custom section. */
export const SEAL_NAME = 'dyadic.seal'

/** Everything of the section but the hash, which has 32 bytes. */
const SEAL_HEADER = encodeCustomSection(SEAL_NAME, new Uint8Array(32)).slice(0, -32)

/** Length of the whole section. */
export const SEAL_BYTES = SEAL_HEADER.length + 32

/** Whether a file is as it was sealed, and otherwise why not. */
export type SealCheck = { readonly ok: true; readonly sha256: string } | { readonly ok: false; readonly reason: string }

/** True when the file ends in the header of a seal and 32 more bytes. */
function endsInSeal(bytes: Uint8Array): boolean {
  const start = bytes.length - SEAL_BYTES
  return start >= 0 && SEAL_HEADER.every((byte, index) => bytes[start + index] === byte)
}

/** A copy of a module with its seal at the end. Throws `refused` when it is sealed already. */
export function seal(bytes: Uint8Array): Uint8Array {
  if (endsInSeal(bytes)) throw new DyadicError('refused', 'the module is sealed already')
  const sealed = new Uint8Array(bytes.length + SEAL_BYTES)
  sealed.set(bytes)
  sealed.set(SEAL_HEADER, bytes.length)
  sealed.set(sha256(bytes), bytes.length + SEAL_HEADER.length)
  return sealed
}

/** Compares the seal with the bytes before it. Never throws. */
export function checkSeal(bytes: Uint8Array): SealCheck {
  if (!endsInSeal(bytes)) return { ok: false, reason: `the file does not end in a ${SEAL_NAME} section` }
  const found = hexadecimal(bytes.subarray(-32))
  const computed = hexadecimal(sha256(bytes.subarray(0, -SEAL_BYTES)))
  if (found === computed) return { ok: true, sha256: computed }
  return { ok: false, reason: `the seal says SHA-256 ${found}, the bytes before it have ${computed}` }
}
