export const CLASSES: readonly string[]
