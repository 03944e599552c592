/** What bench/study/attention.mjs runs and which rows it sets against each other. Data only. */

/**
 * @typedef {{ name: string, scope: 'attention' | 'all', products: string, accumulators: string, networks: string[] }} Row
 *   `products` and `accumulators` as `dyadic study` names them; `attention` replaces products of two computed matrices.
 */

const both = ['vit', 'stories']
const narrow = ' in 3-bit sums'

/** @returns {Row[]} */
const of = (scope, names, accumulators, networks) =>
  names.map((products) => ({
    name: `${products === 'exact' && accumulators === 'float32' ? 'float32' : products}${accumulators === 'float32' ? '' : narrow}`,
    ...{ scope, products, accumulators, networks },
  }))

const small = ['bfloat16', 'e4m3', 'e4m3-products', 'e5m2', 'e5m2-products']
const lMul = ['l-mul4', 'l-mul3', 'l-mul4-nearest', 'l-mul3-nearest']

/** @type {Row[]} */
export const rows = [
  ...of('attention', ['exact', ...small, ...lMul], 'float32', both),
  ...of('attention', ['l-mul4-formula', 'l-mul3-formula'], 'float32', ['stories']),
  ...of('attention', ['exact', 'e4m3-products', 'l-mul3', 'l-mul4'], 'mantissa3', both),
  ...of('all', ['exact', 'e4m3', 'e5m2', 'l-mul4', 'l-mul3'], 'float32', both),
  ...of('all', ['e4m3-products', 'e5m2-products'], 'float32', both),
  ...of('all', ['bfloat16', 'l-mul4-nearest', 'l-mul3-nearest'], 'float32', ['stories']),
  ...of('all', ['e4m3-products', 'l-mul3'], 'mantissa3', ['stories']),
]

/** What is claimed to be as good as its rival, or better: [row, rival]. */
export const claims = [
  ...['e4m3', 'e4m3-products'].flatMap((rival) => [
    ['l-mul4', rival],
    ['l-mul4-nearest', rival],
  ]),
  ...['e5m2', 'e5m2-products'].flatMap((rival) => [
    ['l-mul3', rival],
    ['l-mul3-nearest', rival],
  ]),
  [`l-mul3${narrow}`, `e4m3-products${narrow}`],
  [`l-mul3${narrow}`, 'e4m3-products'],
]
