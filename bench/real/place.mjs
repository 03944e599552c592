/** Where the paths of networks.mjs and natural.mjs lie. */
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)

/** A path from the repository's root, on this machine. @param {string} path */
export const located = (path) => fileURLToPath(new URL(path, root))
