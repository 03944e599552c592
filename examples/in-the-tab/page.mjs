/** The page: takes files, hands them to the worker, shows what comes back. */

const at = (id) => document.getElementById(id)
const [model, samples, compile] = ['model', 'samples', 'compile'].map(at)

/** A file input that files can also be dropped on. */
function acceptDrops(input, zone) {
  for (const name of ['dragover', 'dragleave', 'drop'])
    zone.addEventListener(name, (event) => {
      event.preventDefault()
      zone.classList.toggle('over', name === 'dragover')
      if (name !== 'drop') return
      input.files = event.dataTransfer.files
      input.dispatchEvent(new Event('change'))
    })
}
acceptDrops(model, at('model-drop'))
acceptDrops(samples, at('samples-drop'))

const bytesOf = async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })
const count = (value) => value.toLocaleString('en-US')

function showFiles() {
  const [file] = model.files
  at('model-name').textContent = file ? `${file.name}, ${count(file.size)} bytes` : 'one .onnx file'
  if (samples.files.length > 0) at('samples-name').textContent = `${count(samples.files.length)} files`
  compile.disabled = file === undefined
}
model.addEventListener('change', showFiles)
samples.addEventListener('change', showFiles)

let links = []
/** A link that saves bytes under a name. */
function offer(link, name, content, type) {
  const url = URL.createObjectURL(new Blob([content], { type }))
  links.push(url)
  Object.assign(link, { href: url, download: name, textContent: name })
}

function addNote(text) {
  const item = document.createElement('li')
  item.textContent = text
  at('notes').append(item)
}

/** Rows of names and values; values come from files and are shown as text only. */
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

function showResult(done, stem) {
  offer(at('download'), `${stem}.wasm`, done.wasm, 'application/wasm')
  offer(at('types'), `${stem}.d.ts`, done.dts, 'text/plain')
  const { answers } = done
  showFacts([
    ['module', `${count(done.wasm.length)} bytes, ${done.floatOpcodes} float instructions, ${done.imports} imports`],
    ['memory', `${count(done.memoryBytes)} bytes, fixed`],
    ...(answers
      ? [['same answer', `on ${answers.same} of the first ${answers.count} samples as the float network`]]
      : []),
    ['time', `${done.seconds.toFixed(1)} s`],
    ['SHA-256', done.sha256],
  ])
  at('result').hidden = false
}

compile.addEventListener('click', async () => {
  compile.disabled = true
  for (const url of links) URL.revokeObjectURL(url)
  links = []
  at('notes').replaceChildren()
  for (const id of ['error', 'result']) at(id).hidden = true
  const progress = at('progress')
  progress.removeAttribute('value')
  progress.hidden = false
  const worker = new Worker('compile.js', { type: 'module' })
  const finish = () => {
    worker.terminate()
    progress.hidden = true
    compile.disabled = false
  }
  const fail = (text) => {
    at('error').textContent = text
    at('error').hidden = false
    finish()
  }
  worker.onerror = (event) => fail(event.message ?? 'the worker cannot be loaded')
  worker.onmessage = ({ data }) => {
    if (data.kind === 'note') addNote(data.text)
    else if (data.kind === 'progress') Object.assign(progress, { max: data.total, value: data.done })
    else if (data.kind === 'failed') fail(data.text)
    else {
      showResult(data, model.files[0].name.replace(/\.onnx$/i, ''))
      finish()
    }
  }
  const [[network], files] = await Promise.all([
    Promise.all([bytesOf(model.files[0])]),
    Promise.all(Array.from(samples.files, bytesOf)),
  ])
  worker.postMessage({ model: network.bytes, samples: files })
})
