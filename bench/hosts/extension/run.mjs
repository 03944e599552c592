/** Runs the job that lies in the extension's folder; for its page and its service worker. */
import { decodeJob, execute, hashAll } from './execute.mjs'
import { load } from './runtime/index.js'

/** Posts the answer under a name to the server that the extension's folder names. */
export async function answer(name) {
  const { server, job } = await (await fetch(chrome.runtime.getURL('job.json'))).json()
  let result
  try {
    result = { hashes: await hashAll(await execute(load, decodeJob(job))) }
  } catch (error) {
    result = { error: String(error?.stack ?? error) }
  }
  const body = JSON.stringify({ engine: navigator.userAgent, answers: { [name]: result } })
  await fetch(`${server}/answer`, { method: 'POST', body })
}
