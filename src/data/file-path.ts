/** Paths of data cards: with `/`, relative to the card's folder unless absolute. */

/** `file` as seen from `folder`; an absolute path (`/…`, `\…` or `C:…`) stays as it is. */
export function joinPath(folder: string, file: string): string {
  if (folder === '' || /^([/\\]|[A-Za-z]:)/.test(file)) return file
  return /[/\\]$/.test(folder) ? folder + file : `${folder}/${file}`
}

/** The folder part of a path and the name after it; the folder of a bare name is `.`. */
export function splitPath(path: string): { folder: string; file: string } {
  const match = /^(.*)[/\\]([^/\\]*)$/s.exec(path)
  if (match === null) return { folder: '.', file: path }
  return { folder: match[1] === '' ? '/' : match[1]!, file: match[2]! }
}
