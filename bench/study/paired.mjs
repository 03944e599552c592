/** Two ways of answering the same questions, compared answer by answer: counts, losses, and how far chance reaches. */

/**
 * How often `answers` is right where `rival` is wrong (gained) and the reverse (lost), and `chance`: the probability of a
 * difference at least as large if either were as likely, exactly (sign test, two-sided).
 * @param {ArrayLike<number>} answers @param {ArrayLike<number>} rival @param {ArrayLike<number>} labels
 */
export function compareAnswers(answers, rival, labels) {
  let [correct, lost, gained, agreed] = [0, 0, 0, 0]
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = [answers[i] === labels[i], rival[i] === labels[i]]
    correct += Number(x)
    lost += Number(!x && y)
    gained += Number(x && !y)
    agreed += Number(answers[i] === rival[i])
  }
  return {
    ...{ correct, lost, gained },
    agreement: Number((agreed / labels.length).toFixed(4)),
    chance: Number(signTest(lost, gained).toPrecision(2)),
  }
}

/** P(|X − n/2| ≥ |lost − gained| / 2) for X of n = lost + gained fair coins. */
function signTest(lost, gained) {
  const count = lost + gained
  const least = Math.min(lost, gained)
  if (lost === gained) return 1
  let logarithm = -count * Math.LN2
  let sum = 0
  for (let k = 0; k <= least; k++) {
    sum += Math.exp(logarithm)
    logarithm += Math.log((count - k) / (k + 1))
  }
  return Math.min(1, 2 * sum)
}

/** Mean difference of two lists of losses, and its standard error over the answers as if they were independent. */
export function compareLosses(losses, rival) {
  const differences = losses.map((loss, index) => loss - rival[index])
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length
  const squares = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const error = Math.sqrt(squares / (differences.length - 1) / differences.length)
  return { nllChange: Number(mean.toFixed(4)), nllChangeError: Number(error.toFixed(4)) }
}

/** 10·log10(Σ reference² / Σ difference²); infinite where nothing differs. */
export function sqnr(reference, outputs) {
  let [signal, noise] = [0, 0]
  for (let i = 0; i < reference.length; i++) {
    signal += reference[i] ** 2
    noise += (reference[i] - outputs[i]) ** 2
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise)
}
