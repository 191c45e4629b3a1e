import { readFile } from 'node:fs/promises'
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml'
import { z } from 'zod'

const portMapping = /^(?<address>[\d.]+):(?<first>\d+)(?:-(?<last>\d+))?:(?<inside>\d+)$/
const condition = z.enum(['service_healthy', 'service_completed_successfully'])

const service = z.object({
  build: z.string().optional(),
  image: z.string().optional(),
  profiles: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.coerce.string()).default({}),
  depends_on: z.record(z.string(), z.object({ condition })).default({}),
  deploy: z.object({ replicas: z.int() }).default({ replicas: 1 }),
  ports: z.array(z.string().regex(portMapping)).default([]),
})

const composeFile = z.object({ services: z.record(z.string(), service) })

export type Published = { address: string; inside: number; ports: number[] }

/** A service that is started by default, its variables filled in. */
export type ComposeService = {
  name: string
  /** Whether it is built here; else it is an image of others. */
  isBuilt: boolean
  environment: Record<string, string>
  dependsOn: string[]
  replicas: number
  /** What of it is reached from outside; each replica has one of the ports. */
  published: Published[]
}

/** The services of `docker compose up`, without those of profiles. Throws where it does not understand the file. */
export async function readComposeFile(
  file: string,
  variables: Readonly<Record<string, string>>,
): Promise<ComposeService[]> {
  const schema = CORE_SCHEMA.withTags(mergeTag)
  const { services } = composeFile.parse(load(await readFile(file, 'utf8'), { schema }))
  return Object.entries(services)
    .filter(([, { profiles }]) => profiles.length === 0)
    .map(([name, found]) => ({
      name,
      isBuilt: found.build !== undefined,
      environment: mapValues(found.environment, value => fillIn(value, variables)),
      dependsOn: Object.keys(found.depends_on),
      replicas: found.deploy.replicas,
      published: found.ports.map(published),
    }))
}

/** Compose's `${NAME}` and `${NAME:-default}`; `$$` stands for a dollar sign. */
export function fillIn(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:\$|\{(\w+)(?::-([^}]*))?\}|(.?))/gs, (all, name, otherwise, strange) => {
    if (all === '$$') return '$'
    if (strange !== undefined)
      throw new Error(`expected $$, \${NAME} or \${NAME:-default}, found ${all} in ${text}`)
    const value = variables[name] ?? ''
    return value === '' && otherwise !== undefined ? otherwise : value
  })
}

function published(mapping: string): Published {
  const { address = '', first, last = first, inside } = portMapping.exec(mapping)?.groups ?? {}
  const count = Number(last) - Number(first) + 1
  return {
    address,
    inside: Number(inside),
    ports: Array.from({ length: count }, (_, at) => Number(first) + at),
  }
}

function mapValues<V>(record: Record<string, V>, map: (value: V) => V): Record<string, V> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
