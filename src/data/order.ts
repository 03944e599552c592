/** The order of names everywhere in data sets: by Unicode code point, the same on every host and file system. */

/** Negative, zero or positive as `a` stands before, at or after `b`; for `Array.prototype.sort`. */
export function compareCodePoints(a: string, b: string): number {
  const [left, right] = [a[Symbol.iterator](), b[Symbol.iterator]()]
  for (;;) {
    const [x, y] = [left.next(), right.next()]
    if (x.done || y.done) return (x.done ? 0 : 1) - (y.done ? 0 : 1)
    const difference = (x.value.codePointAt(0) as number) - (y.value.codePointAt(0) as number)
    if (difference !== 0) return difference
  }
}
