/** The extension's own page, opened in a tab. */
import { answer } from './run.mjs'

await answer('extension page')
