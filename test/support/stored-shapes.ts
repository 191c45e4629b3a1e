import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API, type Checker, type Project, SymbolFlags, type Type, TypeFlags } from 'typescript/unstable/sync'

/** What the data of a type of event is made of: names of fields (`name?` may be missing) with what they hold. */
export type Shape = string | Shape[] | { [field: string]: Shape }

/** The shape of each stored event by its type, as the union `RosterEvent` in a source text has them. */
export function shapesIn(source: string): Record<string, Shape> {
  return inProject(source, ({ checker, program }, file) => {
    const statement = program
      .getSourceFile(file)
      ?.statements.find(
        each => 'name' in each && source.slice(each.pos, each.end).includes('type RosterEvent ='),
      )
    if (!statement) throw new Error('expected a type RosterEvent, found none')
    const union = checker.getTypeAtPosition(file, source.indexOf('RosterEvent', statement.pos))
    if (!union?.isUnionType()) throw new Error('expected RosterEvent to be a union, found another type')
    const shapes = union.getTypes().map((event): [string, Shape] => {
      const { type, data } = fieldsOf(checker, event)
      if (typeof type !== 'string' || data === undefined) throw new Error('expected events of type and data')
      return [JSON.parse(type), data]
    })
    return Object.fromEntries(shapes.sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

function inProject<T>(source: string, use: (project: Project, file: string) => T): T {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'roster-shapes-'))
  const [config, file] = [join(folder, 'tsconfig.json'), join(folder, 'events.ts')]
  writeFileSync(file, source)
  const compilerOptions = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: [] }
  writeFileSync(config, JSON.stringify({ files: ['events.ts'], compilerOptions }))
  const api = new API({ cwd: folder })
  try {
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config)
    if (!project) throw new Error(`expected a project at ${config}, found none`)
    return use(project, file)
  } finally {
    api.close()
    rmSync(folder, { recursive: true })
  }
}

function shapeOf(checker: Checker, type: Type): Shape {
  if (type.isUnionType()) {
    // An optional field may be missing, which its name tells already.
    const present = type.getTypes().filter(({ flags }) => (flags & TypeFlags.Undefined) === 0)
    return choices(present.map(each => shapeOf(checker, each)))
  }
  if (type.isTypeReference() && checker.isArrayType(type)) {
    const [item] = checker.getTypeArguments(type)
    if (!item) throw new Error('expected an array of something')
    return [shapeOf(checker, item)]
  }
  if (type.isObjectType() || type.isIntersectionType()) return fieldsOf(checker, type)
  const name = checker.typeToString(type)
  if (['any', 'unknown', 'never', 'undefined'].includes(name))
    throw new Error(`expected what JSON has, found ${name}`)
  return name
}

function fieldsOf(checker: Checker, type: Type): Record<string, Shape> {
  const fields = checker.getPropertiesOfType(type).map((property): [string, Shape] => {
    const of = checker.getTypeOfSymbol(property)
    if (!of) throw new Error(`expected a type of ${property.name}, found none`)
    const isOptional = (property.flags & SymbolFlags.Optional) !== 0
    return [isOptional ? `${property.name}?` : property.name, shapeOf(checker, of)]
  })
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Texts in order, so that it does not matter in which they are written. */
function choices(shapes: readonly Shape[]): Shape {
  const texts = shapes.map(shape => (typeof shape === 'string' ? shape : JSON.stringify(shape)))
  return texts.includes('true') && texts.includes('false')
    ? [...texts.filter(text => text !== 'true' && text !== 'false'), 'boolean'].sort().join(' | ')
    : texts.sort().join(' | ')
}
