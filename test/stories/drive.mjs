/** Uses the page as a person does: writes prompts, submits, waits; then tells what it saw. */

const frame = document.getElementById('page')
if (frame.contentDocument.readyState !== 'complete' || frame.contentWindow.location.href === 'about:blank')
  await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
const page = frame.contentDocument
const at = (id) => page.getElementById(id)

async function tell(prompt) {
  at('prompt').value = prompt
  at('tell').click()
  while (at('tell').disabled) await new Promise((resolve) => setTimeout(resolve, 20))
  return {
    error: at('error').hidden ? '' : at('error').textContent,
    story: at('story').textContent,
    ids: at('ids').textContent,
    facts: at('facts').textContent,
  }
}

const answers = {}
for (const [name, prompt] of Object.entries(await (await fetch('/prompts.json')).json()))
  answers[name] = await tell(prompt)
await fetch('/answer', { method: 'POST', body: JSON.stringify({ engine: navigator.userAgent, answers }) })
