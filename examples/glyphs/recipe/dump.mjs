// Writes pictures of the glyph data set for the training scripts: <out>.pixels (uint8, count × 28 × 28) and <out>.labels
// (uint8).
// Usage: node examples/glyphs/recipe/dump.mjs SEED FIRST COUNT OUT
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const [seed, first, count, out] = process.argv.slice(2)
if (out === undefined) {
  console.error('usage: node dump.mjs SEED FIRST COUNT OUT')
  process.exit(2)
}

const source = fileURLToPath(new URL('../../../src/data/glyphs.ts', import.meta.url))
const bundle = await build({ entryPoints: [source], bundle: true, format: 'esm', target: 'node20', write: false })
const { drawGlyph, GLYPH_SIZE } = await import(
  `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`
)

const pixels = new Uint8Array(Number(count) * GLYPH_SIZE * GLYPH_SIZE)
const labels = new Uint8Array(Number(count))
const start = performance.now()
for (let i = 0; i < labels.length; i++) {
  const picture = drawGlyph(Number(seed), Number(first) + i)
  pixels.set(picture.pixels, i * GLYPH_SIZE * GLYPH_SIZE)
  labels[i] = picture.label
}
const seconds = (performance.now() - start) / 1000
writeFileSync(`${out}.pixels`, pixels)
writeFileSync(`${out}.labels`, labels)
const hash = createHash('sha256').update(pixels).update(labels).digest('hex')
console.log(`${out}: ${count} pictures, ${Math.round(labels.length / seconds)} per second, sha256 ${hash}`)
