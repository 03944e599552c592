/**
 * Each bundler as a function: builds `page.mjs` of a folder into another, minified, for browsers that know modules, with the
 * network as a file beside the script. What a user would write, and no more.
 */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build as esbuild } from 'esbuild'
import { build as vite } from 'vite'
import webpack from 'webpack'

/** @type {Record<string, (folder: string, out: string) => Promise<void>>} */
export const bundlers = {
  vite: (folder, out) =>
    vite({
      root: folder,
      configFile: false,
      logLevel: 'error',
      build: {
        outDir: out,
        target: 'es2022',
        emptyOutDir: true,
        // The network stays a file; as a data URL it could not be streamed.
        assetsInlineLimit: 0,
        rollupOptions: { input: join(folder, 'index.html') },
      },
    }),

  async webpack(folder, out) {
    const compiler = webpack({
      mode: 'production',
      context: folder,
      entry: './page.mjs',
      target: ['web', 'es2022'],
      output: { path: out, filename: 'page.js', module: true, assetModuleFilename: '[name][ext]' },
      experiments: { outputModule: true },
      performance: { hints: false },
    })
    const stats = await promisify(compiler.run.bind(compiler))()
    await promisify(compiler.close.bind(compiler))()
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }))
  },

  // esbuild leaves `new URL(…, import.meta.url)` as it is: the file is copied beside the script.
  async esbuild(folder, out) {
    await esbuild({
      entryPoints: [join(folder, 'page.mjs')],
      outfile: join(out, 'page.js'),
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      logLevel: 'error',
    })
    await cp(join(folder, 'network.wasm'), join(out, 'network.wasm'))
  },
}
