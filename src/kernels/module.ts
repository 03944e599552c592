/**
 * From the base64 text that scripts/build.mjs embeds to bytes and to a compiled module. Works in every host that has
 * `atob` and `WebAssembly`.
 */

/** The bytes of an embedded kernel module. Throws what `atob` throws when the text is not base64. */
export function embeddedBytes(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** The embedded kernel module, compiled synchronously. */
export function compileEmbedded(base64: string): WebAssembly.Module {
  return new WebAssembly.Module(embeddedBytes(base64))
}
