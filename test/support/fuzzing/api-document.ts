/** As much of an OpenAPI document as requests are made of and answers compared with. */
export type ApiDocument = {
  paths: Record<string, PathItem>
  components: { schemas: Record<string, Schema>; parameters: Record<string, Parameter> }
}

export type PathItem = { [method: string]: Operation | Parameters | undefined; parameters?: Parameters }

export type Operation = {
  parameters?: Parameters
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, object>
}

export type Parameter = { name: string; in: string }
export type Reference = { $ref: string }
type Parameters = (Parameter | Reference)[]

export type Schema = { $ref?: string; properties?: Record<string, Schema>; maxLength?: number }

export const methods = ['get', 'post', 'put', 'patch', 'delete'] as const

export function operationOf(item: PathItem, method: string): Operation | undefined {
  const found = methods.some(name => name === method) ? item[method] : undefined
  return Array.isArray(found) ? undefined : found
}

/** What an operation takes in its query or its headers. */
export function namesIn(document: ApiDocument, { parameters = [] }: Operation, place: string): string[] {
  return parameters
    .map(each => ('$ref' in each ? parameterOf(document, each) : each))
    .filter(parameter => parameter.in === place)
    .map(({ name }) => name)
}

function parameterOf({ components }: ApiDocument, { $ref }: Reference): Parameter {
  const found = components.parameters[$ref.replace('#/components/parameters/', '')]
  if (!found) throw new Error(`expected a parameter at ${$ref}, found none`)
  return found
}
