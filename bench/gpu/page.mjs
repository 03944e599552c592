/**
 * `node bench/gpu/page.mjs [--check]`: writes bench/results/gpu.json and gpu-decode.json as docs/gpu-results.md. With --check
 * nothing is written, and the exit code is 1 when the page says something else.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } })
const read = (name) => JSON.parse(readFileSync(new URL(`../results/${name}.json`, import.meta.url), 'utf8'))
const results = read('gpu')
const decode = read('gpu-decode')
const rowsOf = (key) => (Array.isArray(results[key]) ? results[key] : [])
const show = (value, digits = 3) =>
  value === undefined ? '–' : Number(value.toPrecision(digits)).toLocaleString('en-GB')
const table = (titles, rows) =>
  [titles, titles.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
const distinct = (rows, key) => [...new Set(rows.map((row) => row[key]))]

function networkTable(ours, peers) {
  const rows = distinct(ours, 'network').flatMap((network) =>
    distinct(ours, 'batch').map((batch) => {
      const at = (level) =>
        ours.find((row) => row.network === network && row.batch === batch && row.level === level && row.runMs) ?? {}
      const [matrix, dot4] = [at('matrix'), at('dot4')]
      const peer = peers.find((row) => row.network === network && row.batch === batch)
      const best = Math.min(...[matrix, dot4].map(({ runMs = Number.POSITIVE_INFINITY }) => runMs))
      const times = ({ runMs, deviceMs }) => `${show(runMs)} (${show(deviceMs)})`
      const over = peer?.runMs && Number.isFinite(best) ? `${show(peer.runMs / best, 2)}×` : '–'
      return [
        network,
        batch,
        show(matrix.dispatches ?? dot4.dispatches),
        times(matrix),
        times(dot4),
        show(peer?.runMs),
        over,
      ]
    }),
  )
  return table(
    [
      'network',
      'batch',
      'dispatches',
      '`matrix`, ms (on the device)',
      '`dot4`, ms (on the device)',
      'onnxruntime-web, ms',
      'over it',
    ],
    rows,
  )
}

function spentTable(rows) {
  return table(
    ['network', 'level', 'batch', 'µs of dispatches by the device’s clock'],
    rows
      .filter(({ families }) => families !== undefined)
      .map(({ network, level, batch, families }) => [
        ...[network, level, batch],
        families
          .slice(0, 6)
          .map(([shader, count, us]) => `${shader} ${count} × ${show(us / count)} = ${show(us)}`)
          .join(', '),
      ]),
  )
}

function convolutionTable(ours, peers) {
  const rows = distinct(ours, 'layer').flatMap((layer) =>
    distinct(ours, 'batch').map((batch) => {
      const at = (level) => {
        const found = ours.filter((row) => row.layer === layer && row.batch === batch && row.level === level)
        const [chosen] = found.filter((row) => row.chosen)
        const best = found.toSorted((a, b) => (a.us ?? 1e9) - (b.us ?? 1e9))[0] ?? {}
        return chosen === undefined || chosen === best
          ? show(best.tops)
          : `${show(chosen.tops)} (${show(best.tops)} with ${best.kernel.split('_').at(-1)})`
      }
      const peer = peers.find((row) => row.layer === layer && row.batch === batch)
      return [layer, batch, at('matrix'), at('dot4'), at('plain'), show(peer?.tops)]
    }),
  )
  return table(['layer', 'batch', '`matrix`, TOP/s', '`dot4`', '`plain`', 'onnxruntime-web, TFLOP/s'], rows)
}

const gemm = [
  ...rowsOf('gemm'),
  ...rowsOf('gemmUnchecked').map((row) => ({ ...row, kernel: `${row.kernel}, unchecked` })),
]
const parts = [
  [
    'Networks',
    networkTable([...rowsOf('networks'), ...rowsOf('large')], [...rowsOf('peerNetworks'), ...rowsOf('peerLarge')]),
  ],
  ['Where the time goes', spentTable([...rowsOf('networks'), ...rowsOf('large')])],
  [
    'Products of square matrices',
    table(
      ['kernel', 'size', 'TOP/s', 'wrong of samples'],
      [...gemm, ...rowsOf('peerGemm')].map(({ kernel, peer, size, tops, wrong, samples }) => [
        ...[kernel ?? peer, size, show(tops)],
        samples === undefined ? '–' : `${wrong} of ${samples}`,
      ]),
    ),
  ],
  ['Convolutions', convolutionTable(rowsOf('convolutions'), rowsOf('peerConvolutions'))],
  [
    'Cold start',
    table(
      ['who', 'ready after ms', 'first run, ms', 'in all, ms', 'download, MB', 'gzip, MB'],
      rowsOf('cold').map(({ level, peer, loadMs, firstRunMs, ms, bytes, gzipBytes }) => [
        ...[
          peer ?? `ours, ${level}`,
          show(loadMs),
          show(firstRunMs),
          show(ms, 4),
          show(bytes / 1e6),
          show(gzipBytes / 1e6),
        ],
      ]),
    ),
  ],
  [
    'Few rows',
    table(
      ['columns × depth', 'rows', 'bits', 'kernel', 'µs', 'GB/s of weights', 'best tile of many rows, µs'],
      decode.rows
        .filter(({ taken, kernel }) => taken && kernel.startsWith('gemv'))
        .map(({ columns, depth, rows, bits, kernel, us, gigabytesPerSecond }) => {
          const tiles = decode.rows.filter(
            (row) =>
              row.columns === columns && row.depth === depth && row.rows === rows && row.kernel.startsWith('gemm'),
          )
          const best = Math.min(...tiles.map((row) => row.us))
          return [
            `${columns} × ${depth}`,
            rows,
            bits,
            kernel,
            show(us),
            show(gigabytesPerSecond),
            tiles.length > 0 ? show(best) : '–',
          ]
        }),
    ),
  ],
  [
    'Random shapes',
    table(
      ['level', 'shapes', 'equal', 'shaders'],
      rowsOf('shapes').map(({ level, shapes, equal, shaders }) => [
        level,
        show(shapes, 6),
        show(equal, 6),
        Object.keys(shaders).length,
      ]),
    ),
  ],
  [
    'All networks by hash',
    table(
      ['network', 'dispatches', ...['matrix', 'dot4', 'plain'].map((level) => `\`${level}\``)],
      distinct(rowsOf('checked'), 'network').map((network) => {
        const own = rowsOf('checked').filter((row) => row.network === network)
        const at = (level) => own.find((row) => row.level === level)
        const cell = (row) => (row === undefined ? '–' : row.error ? 'failed' : `${row.equal} of ${row.samples}`)
        return [network, show(own[0].dispatches), ...['matrix', 'dot4', 'plain'].map((level) => cell(at(level)))]
      }),
    ),
  ],
]
const { device, description, node, features } = results.adapter
const page = `# WebGPU, measured

Written by \`node bench/gpu/page.mjs\` from \`bench/results/gpu.json\`, which \`bench/gpu\` makes on a machine with a GPU.
Adapter: ${device}, ${description}; Dawn in Node ${node}.

Times of networks include writing inputs and reading outputs; in brackets, one run of many behind each other. onnxruntime-web
runs the same networks in float32 on the same device, in the same process; layers by themselves, in another one on a machine
of the same kind.${features.includes('shader-f16') ? '' : ' The adapter has no shader-f16, so float16 was not run.'} A GPU works
for half a second before anything is timed, except for the products of few rows.

${parts
  .filter(([, text]) => text.split('\n').length > 2)
  .map(([title, text]) => `## ${title}\n\n${text}`)
  .join('\n\n')}
`
const target = new URL('../../docs/gpu-results.md', import.meta.url)
if (!values.check) writeFileSync(target, page)
else if (readFileSync(target, 'utf8') !== page) {
  console.error('docs/gpu-results.md differs from bench/results/gpu.json; run node bench/gpu/page.mjs')
  process.exitCode = 1
}
