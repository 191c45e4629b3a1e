/** One thing wrong with one field of a body. */
export type FieldError = { field: string; message: string }

export const required = 'This field is required.'
export const mayNotBeNull = 'This field may not be null.'
export const notAString = 'Not a valid string.'
export const mayNotBeBlank = 'This field may not be blank.'
export const noNull = 'Null characters are not allowed.'
export const noSurrogate = (codeUnit: number) =>
  `Surrogate characters are not allowed: U+${codeUnit.toString(16).toUpperCase()}.`
export const tooLong = (characters: number) => `Ensure this field has no more than ${characters} characters.`
export const notABoolean = 'Must be a valid boolean.'
export const notAnEmail = 'Enter a valid email address.'
export const notAUsername =
  'Enter a valid username. This value may contain only letters, numbers, and underscores and may not be entirely numeric.'

const aboutPresenceAndType = new Set([required, mayNotBeNull, notAString, mayNotBeBlank, noNull])

/** Whether a message is of the first group: as long as there are any of those, the others are not told. */
export function isOfFirstGroup({ message }: FieldError): boolean {
  return aboutPresenceAndType.has(message) || message.startsWith('Surrogate characters')
}

/** Each field with the list of its errors, fields in the order given. */
export function fieldErrorBody(
  errors: readonly FieldError[],
  fields: readonly string[],
): Record<string, string[]> {
  const inOrder = errors.toSorted((a, b) => fields.indexOf(a.field) - fields.indexOf(b.field))
  const body: Record<string, string[]> = {}
  for (const { field, message } of inOrder) body[field] = [...(body[field] ?? []), message]
  return body
}
