/** The look of a report: one style sheet, light and dark by the reader's preference, and a plain one for paper. */

/** The colours of pages and plots: light, and dark where the reader prefers that. */
export const COLOURS = `:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1c1b19; --soft: #6a6660; --line: #e4e0d8; --faint: #f2efe8;
  --accumulated: #1f5fbf; --local: #c2620c; --bad: #c0272d; --good: #23744a; --band: #1f5fbf1c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16171a; --card: #1d1f23; --ink: #e9e7e2; --soft: #a19d95; --line: #33363c; --faint: #25282d;
    --accumulated: #7fb0ff; --local: #f0a35e; --bad: #ff7b76; --good: #76cf9e; --band: #7fb0ff24;
  }
}
`

/** What is drawn in plots. */
export const PLOT_STYLE = `svg .tick, svg .label { fill: var(--soft); }
svg .tick { font-size: 11px; }
svg .rule { stroke: var(--line); }
svg .base { stroke: var(--soft); stroke-opacity: .6; }
svg .line { fill: none; stroke: var(--accumulated); stroke-width: 2; stroke-linejoin: round; }
svg .area { fill: var(--band); }
svg .dot { fill: var(--accumulated); }
svg .local { fill: var(--card); stroke: var(--local); stroke-width: 1.8; }
svg .mark { fill: none; stroke: var(--bad); stroke-width: 1.6; }
svg .rank { fill: var(--bad); font-size: 12px; font-weight: 650; }
svg .reach { fill: var(--band); }
svg .end { stroke: var(--accumulated); stroke-dasharray: 3 3; }
svg .bar { fill: var(--soft); fill-opacity: .75; }
svg .clipped { fill: var(--bad); }
svg .buffer { stroke: var(--card); stroke-width: .8; fill: var(--accumulated); fill-opacity: .72; }
svg .buffer.scratch { fill: var(--local); }
svg .buffer.port { fill: var(--good); }
`

/** CSS without anything that loads. */
export const STYLE = `
${COLOURS}* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums;
}
main { max-width: 1140px; margin: 0 auto; padding: 48px 24px 64px; }
header p, .soft { color: var(--soft); }
.eyebrow { margin: 0; font-size: 13px; letter-spacing: .08em; text-transform: uppercase; }
h1 { margin: 4px 0 6px; font-size: 32px; line-height: 1.2; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { margin: 52px 0 6px; font-size: 21px; letter-spacing: -.01em; }
h3 { margin: 0; font-size: 16px; overflow-wrap: anywhere; }
h4 { margin: 14px 0 2px; font-size: 12px; font-weight: 600; color: var(--soft); }
p { margin: 6px 0; max-width: 72ch; }
.name, code { font: 0.92em/1.45 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr)); gap: 12px; margin: 26px 0 18px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 23px; font-weight: 650; letter-spacing: -.01em; line-height: 1.3; }
.tile span { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.verdict { border-left: 3px solid var(--accumulated); padding: 2px 0 2px 16px; margin: 22px 0; }
.verdict.warn { border-color: var(--bad); }
.frame { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; margin: 14px 0; }
.scroll { overflow-x: auto; padding: 4px 0; }
svg.plot { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
${PLOT_STYLE}.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 0 0 8px; padding: 0; list-style: none; font-size: 13px; color: var(--soft); }
.legend i { display: inline-block; width: 11px; height: 11px; margin-right: 7px; border-radius: 50%; vertical-align: -1px; }
.legend .a { background: var(--accumulated); }
.legend .l { border: 2px solid var(--local); }
.legend .p { background: var(--good); }
.legend .s { background: var(--local); }
.legend .m { border: 2px solid var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 12px; vertical-align: bottom; }
th, td { padding: 7px 9px; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
td { vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; }
code { display: inline-block; max-width: 100%; }
.values { min-width: 900px; }
.values td:last-child { min-width: 27ch; }
.bounds { min-width: 900px; }
.instructions { columns: 3 260px; font-size: 13px; }
.plotted { overflow-x: auto; }
svg.wide { min-width: 640px; }
td .name { display: inline-block; min-width: 24ch; }
td small { color: var(--soft); display: block; font-size: 12px; }
.tag { display: inline-block; padding: 0 8px; border-radius: 999px; background: var(--faint); font-size: 12px; white-space: nowrap; }
.gain { color: var(--good); font-weight: 600; white-space: nowrap; }
.loss { color: var(--bad); font-weight: 600; white-space: nowrap; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 14px; margin-top: 14px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; }
.card > p { margin: 4px 0 0; font-size: 13px; color: var(--soft); }
.card .rank { float: right; margin-left: 10px; color: var(--soft); font-weight: 600; }
.card table { font-size: 13px; }
.card th, .card td { padding: 4px 6px 4px 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 22px; margin: 8px 0; font-size: 14px; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.pareto { background: #ffffff; text-align: center; }
.pareto img { max-width: 100%; height: auto; }
summary { cursor: pointer; margin: 14px 0 0; color: var(--soft); }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 12px; margin: 14px 0; }
.sample { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 12px; font-size: 13px; overflow-wrap: anywhere; }
.sample.other { border-color: var(--bad); }
.sample img { display: block; width: 100%; max-width: 140px; image-rendering: pixelated; border-radius: 4px; margin: 0 auto 8px; }
.sample span { display: block; color: var(--soft); }
footer { margin-top: 56px; padding-top: 16px; border-top: 1px solid var(--line); font-size: 13px; color: var(--soft); }
@media (max-width: 640px) { main { padding: 28px 16px 40px; } h1 { font-size: 25px; } }
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --card: #fff; --ink: #000; --soft: #555; --line: #ccc; --faint: #eee;
    --accumulated: #1f5fbf; --local: #c2620c; --bad: #c0272d; --good: #23744a; --band: #1f5fbf1c;
  }
  body { font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  .card, .tile, .frame, tr, .verdict { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  h1 { font-size: 24px; }
  h2 { margin-top: 28px; font-size: 16px; }
  h3 { font-size: 12px; }
  h4 { font-size: 10px; }
  .scroll, .plotted { overflow: visible; }
  .tiles { grid-template-columns: repeat(5, 1fr); gap: 8px; }
  .tile { padding: 8px 10px; }
  .tile b { font-size: 15px; }
  .tile span, .legend, .card > p, .card table, dl, footer { font-size: 10px; }
  .values, .values td:last-child, svg.wide { min-width: 0; }
  table { font-size: 9.5px; }
  th, td small, .tag { font-size: 8.5px; }
  th, td { padding: 3px 5px; }
  td .name { min-width: 0; }
  .cards { grid-template-columns: 1fr 1fr; gap: 8px; }
  .card { padding: 10px 12px; }
}
`
