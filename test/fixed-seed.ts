/**
 * Property tests draw from a fixed seed, so that a run says the same everywhere; FAST_CHECK_SEED=n draws another, for longer
 * hunts. What such a hunt finds becomes a case of its own.
 */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20261122) })
