/**
 * The frame of every report: one HTML file that loads nothing and runs nothing, and whose content security policy says so
 * too. All parts are HTML: what comes from outside has been escaped.
 */
import { STYLE } from './style.ts'

export interface Page {
  /** The command that made it. */
  readonly eyebrow: string
  /** Title of the window. */
  readonly title: string
  readonly heading: string
  readonly introduction: string
  readonly body: string
  readonly footer: string
}

/** The whole file. Deterministic text: equal pages give equal bytes. */
export function renderPage({ eyebrow, title, heading, introduction, body, footer }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">${eyebrow}</p>
<h1>${heading}</h1>
<p>${introduction}</p>
</header>
${body}
<footer>${footer}</footer>
</main>
</body>
</html>
`
}

/** A row of figures, each with what it is; both HTML. */
export function tiles(cells: readonly (readonly [figure: string, what: string])[]): string {
  return `<div class="tiles">${cells.map(([value, what]) => `<div class="tile"><b>${value}</b><span>${what}</span></div>`).join('')}</div>`
}

/** Facts by their names; both HTML. */
export function factList(rows: readonly (readonly [name: string, fact: string])[]): string {
  return `<dl>${rows.map(([label, value]) => `<dt>${label}</dt><dd>${value}</dd>`).join('\n')}</dl>`
}
