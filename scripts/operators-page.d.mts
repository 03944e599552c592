/** The text of docs/operators.md for a registry and the names that can be lowered. */
export function operatorsPage(
  operators: ReadonlyMap<string, { readonly since: readonly number[]; readonly integer: string }>,
  lowerable: ReadonlySet<string>,
): string
