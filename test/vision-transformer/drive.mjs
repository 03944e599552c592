/** Opens the page and waits until every picture has its answer; then tells what it saw. */

const { pictures } = await (await fetch('/expected.json')).json()
const frame = document.getElementById('page')
const at = (id) => frame.contentDocument?.getElementById(id)
const figures = () => Array.from(at('pictures')?.children ?? [])
const answered = () => figures().filter(({ dataset }) => dataset.scores !== undefined).length

while (answered() < pictures && at('error')?.hidden !== false) await new Promise((resolve) => setTimeout(resolve, 20))

/** Pixels of a canvas as planes of red, green and blue. */
function planes(canvas) {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  return [0, 1, 2].flatMap((channel) => Array.from(data.filter((_, i) => i % 4 === channel)))
}

const seen = {
  error: at('error').textContent,
  status: at('status').textContent,
  figures: figures().map((figure) => ({
    scores: figure.dataset.scores,
    caption: figure.querySelector('figcaption').textContent,
    pixels: planes(figure.querySelector('canvas')),
  })),
}
await fetch('/answer', { method: 'POST', body: JSON.stringify({ engine: navigator.userAgent, answers: { seen } }) })
