/**
 * Places for things that live for a while: which units of a line are taken at which moments, and the lowest place that is
 * free over a stretch of them. Moments are the leaves of a binary tree (a segment tree: J. L. Bentley, 1977); every node
 * knows what is taken by things that live through all of it, and by things that live in any of it, each as disjoint spans.
 * A request meets O(log moments) nodes, however many things are placed.
 */

/** Disjoint spans in ascending order, as start, end, start, end …; no two touch. */
type Spans = number[]

export class FirstFit {
  readonly #leaves: number
  /** What things take that live at every moment of a node; by node, whose children are 2i and 2i + 1. */
  readonly #throughout = new Map<number, Spans>()
  /** What things take that live at some moment of a node. */
  readonly #sometime = new Map<number, Spans>()

  /** For moments 0 to `moments` − 1. */
  constructor(moments: number) {
    let leaves = 1
    while (leaves < moments) leaves *= 2
    this.#leaves = leaves
  }

  /** The least place of `size` units that nothing takes from moment `from` to moment `to`, both included. */
  lowest(from: number, to: number, size: number): number {
    const taken = [
      ...this.#parts(from, to).map((node) => this.#sometime.get(node)),
      ...this.#above(from).map((node) => this.#throughout.get(node)),
      ...this.#above(to).map((node) => this.#throughout.get(node)),
    ].filter((spans) => spans !== undefined)
    let place = 0
    for (let before = -1; before !== place; ) {
      before = place
      for (const spans of taken) place = passOver(spans, place, size)
    }
    return place
  }

  /** Takes the units from `start` to `end`, that one not included, from moment `from` to moment `to`. */
  take(from: number, to: number, start: number, end: number): void {
    if (start >= end) return
    for (const node of this.#parts(from, to)) add(this.#throughout, node, start, end)
    for (const node of new Set([...this.#parts(from, to), ...this.#above(from), ...this.#above(to)]))
      add(this.#sometime, node, start, end)
  }

  /** The fewest nodes that together are the moments from `from` to `to`. */
  #parts(from: number, to: number): number[] {
    const nodes: number[] = []
    let [low, high] = [from + this.#leaves, to + this.#leaves + 1]
    for (; low < high; low >>= 1, high >>= 1) {
      if (low & 1) nodes.push(low++)
      if (high & 1) nodes.push(--high)
    }
    return nodes
  }

  /** A moment's leaf and all nodes above it. */
  #above(moment: number): number[] {
    const nodes: number[] = []
    for (let node = moment + this.#leaves; node >= 1; node >>= 1) nodes.push(node)
    return nodes
  }
}

/** Index of the first span that ends at `place` or behind it. */
function firstSpan(spans: Spans, place: number): number {
  let [low, high] = [0, spans.length / 2]
  while (low < high) {
    const middle = (low + high) >> 1
    if (spans[2 * middle + 1] < place) low = middle + 1
    else high = middle
  }
  return low
}

/** The least place at or behind `place` at which `size` units lie between the spans. */
function passOver(spans: Spans, place: number, size: number): number {
  let found = place
  for (let i = 2 * firstSpan(spans, place); i < spans.length && spans[i] < found + size; i += 2)
    found = Math.max(found, spans[i + 1])
  return found
}

function add(nodes: Map<number, Spans>, node: number, start: number, end: number): void {
  const spans = nodes.get(node)
  if (spans === undefined) {
    nodes.set(node, [start, end])
    return
  }
  const first = 2 * firstSpan(spans, start)
  let behind = first
  while (behind < spans.length && spans[behind] <= end) behind += 2
  const merged = behind > first ? [Math.min(start, spans[first]), Math.max(end, spans[behind - 1])] : [start, end]
  spans.splice(first, behind - first, ...merged)
}
