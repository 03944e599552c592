/** The page: tells a story behind a prompt, word by word, by the step program. */
import { load } from 'dyadic/runtime'
import { beginStory, tellStory } from './story.mjs'
import { createTextStream } from './text-stream.mjs'
import { createTokenizer } from './tokenizer.mjs'

const at = (id) => document.getElementById(id)
/** Gives the tab time to show what has been told. */
const pause = () => new Promise((resolve) => setTimeout(resolve))
const number = (value) => value.toLocaleString('en-US')

function showFacts(rows) {
  at('facts').replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const [term, detail] = ['dt', 'dd'].map((tag) => document.createElement(tag))
      term.textContent = name
      detail.textContent = value
      return [term, detail]
    }),
  )
}

/** Tells one story; the time of a token is that of the program alone. */
async function tell({ network, tokenizer, size }) {
  const { context: length } = beginStory(network)
  const tokens = tellStory(network, tokenizer.encode(at('prompt').value), length)
  const added = createTextStream(tokenizer)
  const ids = []
  let milliseconds = 0
  for (;;) {
    const start = performance.now()
    const { value, done } = tokens.next()
    milliseconds += performance.now() - start
    if (done) break
    ids.push(value)
    at('story').append(added(value))
    at('ids').textContent = ids.join(' ')
    showFacts([
      ['module', `${number(size)} bytes`],
      ['tokens', `${ids.length} of at most ${length}`],
      ['time', `${(milliseconds / ids.length).toFixed(2)} ms per token`],
    ])
    await pause()
  }
}

/** Runs `work`; shows why where it fails. */
async function trying(work) {
  at('tell').disabled = true
  at('error').hidden = true
  try {
    await work()
  } catch (error) {
    at('error').textContent = error.message
    at('error').hidden = false
  }
  at('tell').disabled = false
}

/** What the story is told with: the program, its size in bytes, and the tokenizer. */
async function prepare() {
  const [wasm, pieces] = await Promise.all(['step.wasm', 'pieces.json'].map((name) => fetch(name)))
  const bytes = await wasm.arrayBuffer()
  return { network: await load(bytes), size: bytes.byteLength, tokenizer: createTokenizer(await pieces.json()) }
}

let parts
at('form').addEventListener('submit', (event) => {
  event.preventDefault()
  for (const id of ['story', 'ids', 'facts']) at(id).replaceChildren()
  trying(async () => {
    parts ??= await prepare()
    await tell(parts)
  })
})
at('tell').disabled = false
