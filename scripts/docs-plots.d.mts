/** The files of docs/plots by name. */
export function docsPlots(): Promise<Map<string, string>>
