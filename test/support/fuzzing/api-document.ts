/** As much of an OpenAPI document as requests are made of and answers compared with. */
export type ApiDocument = {
  paths: Record<string, PathItem>
  components: { schemas: Record<string, Schema> }
}

export type PathItem = { [method: string]: Operation | Parameter[] | undefined; parameters?: Parameter[] }

export type Operation = {
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, object>
}

export type Parameter = { name: string; in: string }

export type Schema = { $ref?: string; properties?: Record<string, Schema>; maxLength?: number }

export const methods = ['get', 'post', 'put', 'patch', 'delete'] as const

export function operationOf(item: PathItem, method: string): Operation | undefined {
  const found = methods.some(name => name === method) ? item[method] : undefined
  return Array.isArray(found) ? undefined : found
}
