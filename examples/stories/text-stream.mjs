/** Text as it comes, token by token: the bytes of one letter may be several tokens, and only whole letters are shown. */

/** A function that takes the next token id and gives the text that it adds. */
export function createTextStream(tokenizer) {
  const ids = []
  let shown = ''
  return (id) => {
    ids.push(id)
    const text = tokenizer.decode(ids)
    if (text.endsWith('\ufffd') || !text.startsWith(shown)) return ''
    const added = text.slice(shown.length)
    shown = text
    return added
  }
}
