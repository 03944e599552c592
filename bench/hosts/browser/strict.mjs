/** A page that may load scripts of its own origin and compile WebAssembly, and nothing else; a child of page.html. */
import { decodeJob, execute, hashAll } from '/execute.mjs'
import { load } from '/runtime/index.js'

const answer = {}
try {
  // The policy holds if this is refused.
  let evaluates = true
  try {
    new Function('return 1')()
  } catch {
    evaluates = false
  }
  if (evaluates) throw new Error('the page may evaluate text: its policy is not in force')
  answer.hashes = await hashAll(await execute(load, decodeJob(await (await fetch('/job.json')).json())))
} catch (error) {
  answer.error = String(error?.stack ?? error)
}
parent.postMessage(answer, location.origin)
