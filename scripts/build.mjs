// Builds the package: AssemblyScript kernels -> WebAssembly -> embedded base64 modules, then TypeScript -> dist.
// Skips a step whose inputs have not changed since its output was written.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const assembly = join(root, 'src/kernels/assembly')
const embedded = join(root, 'src/kernels/embedded')
mkdirSync(embedded, { recursive: true })

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
const hashOf = (files) => {
  const hash = createHash('sha256')
  for (const file of files) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

/** Every entry file `<name>.entry.ts` in src/kernels/assembly becomes one embedded module `<name>.ts`. */
const { default: asc } = await import('assemblyscript/asc')
const sources = existsSync(assembly) ? filesBelow(assembly).filter((file) => file.endsWith('.ts')) : []
const kernelHash = hashOf([...sources, fileURLToPath(import.meta.url)])
for (const entry of sources.filter((file) => file.endsWith('.entry.ts'))) {
  const name = entry.slice(assembly.length + 1, -'.entry.ts'.length)
  const target = join(embedded, `${name}.ts`)
  if (existsSync(target) && readFileSync(target, 'utf8').includes(kernelHash)) continue
  const bytes = new Map()
  const { error, stderr } = await asc.main(
    [
      entry.slice(root.length + 1),
      '--outFile',
      `${name}.wasm`,
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '65536',
      '--enable',
      'simd',
      '--disable',
      'mutable-globals',
    ],
    {
      readFile: (path, base) => {
        const file = join(base && base !== '.' ? base : root, path)
        const found = existsSync(file) ? file : join(root, path)
        return existsSync(found) ? readFileSync(found, 'utf8') : null
      },
      writeFile: (path, contents) => void bytes.set(path, contents),
    },
  )
  if (error) {
    process.stderr.write(stderr.toString())
    throw error
  }
  const module = bytes.get(`${name}.wasm`)
  const base64 = Buffer.from(module)
    .toString('base64')
    .replace(/.{1,110}/g, "  '$&',\n")
  writeFileSync(
    target,
    `// Made by scripts/build.mjs from src/kernels/assembly/${name}.entry.ts; inputs ${kernelHash}\n` +
      `/** The compiled kernel module as base64, ${module.length} bytes. */\nexport default [\n${base64}].join('')\n`,
  )
  process.stderr.write(`kernels: ${name} ${module.length} bytes\n`)
}

if (!process.argv.includes('--kernels')) {
  const inputs = filesBelow(join(root, 'src')).filter((file) => !file.endsWith('.test.ts'))
  const hash = hashOf([
    ...inputs,
    join(root, 'tsconfig.json'),
    join(root, 'tsconfig.build.json'),
    join(root, 'package.json'),
  ])
  const stamp = join(root, 'dist/.inputs')
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) {
    rmSync(join(root, 'dist'), { recursive: true, force: true })
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
      cwd: root,
      stdio: 'inherit',
    })
    writeFileSync(stamp, hash)
  }
}
