/**
 * Firefox installs an extension from a folder only when asked over its remote protocol, Marionette: JSON arrays over TCP, each
 * behind its length in bytes and a colon. A command is [0, id, name, parameters], an answer [1, id, error, result].
 */
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** Settings with which Firefox listens on a free port, which it writes into its profile, and its words. */
export const MARIONETTE_SETTINGS = { 'marionette.port': 0 }
export const MARIONETTE_WORDS = ['--marionette']

const PATIENCE_MS = 60_000

/** The port that a Firefox with this profile listens on. */
async function portOf(profile) {
  for (const start = Date.now(); Date.now() - start < PATIENCE_MS; await wait(100)) {
    const port = Number(await readFile(join(profile, 'MarionetteActivePort'), 'utf8').catch(() => ''))
    if (port > 0) return port
  }
  throw new Error(`Firefox did not open its remote protocol within ${PATIENCE_MS} ms`)
}

/** Messages from a socket, the greeting first. */
async function* messages(socket) {
  let pending = Buffer.alloc(0)
  for await (const part of socket) {
    pending = Buffer.concat([pending, part])
    for (;;) {
      const colon = pending.indexOf(':')
      const end = colon + 1 + Number(pending.toString('latin1', 0, colon))
      if (colon < 0 || pending.length < end) break
      yield JSON.parse(pending.toString('utf8', colon + 1, end))
      pending = pending.subarray(end)
    }
  }
}

/** Installs the extension in a folder until that Firefox ends. */
export async function installExtension(profile, folder) {
  const socket = connect(await portOf(profile), '127.0.0.1')
  const incoming = messages(socket)
  await incoming.next()
  let id = 0
  const ask = async (name, parameters) => {
    const text = JSON.stringify([0, ++id, name, parameters])
    socket.write(`${Buffer.byteLength(text)}:${text}`)
    const { value } = await incoming.next()
    if (value?.[2]) throw new Error(`Firefox refuses ${name}: ${value[2].message}`)
  }
  try {
    await ask('WebDriver:NewSession', {})
    await ask('Addon:Install', { path: folder, temporary: true })
  } finally {
    socket.destroy()
  }
}
