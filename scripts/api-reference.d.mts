/** The pages of docs/api by file name. Throws, naming all of them, when exported names have no docstring. */
export function apiReference(): Map<string, string>
