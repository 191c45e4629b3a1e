import { readFileSync, writeFileSync } from 'node:fs'
import { type Shape, shapesIn } from './stored-shapes.ts'

/** The shape of every version of every event that was ever stored. What is in it stays as it is, for ever. */
export type ShapeBook = Record<string, Record<string, Shape>>

const bookFile = new URL('../fixtures/event-shapes.json', import.meta.url)
const eventsFile = new URL('../../src/account/events.ts', import.meta.url)

export const readShapeBook = (): ShapeBook => JSON.parse(readFileSync(bookFile, 'utf8'))
export const readEventsSource = (): string => readFileSync(eventsFile, 'utf8')

/** What is wrong with the events in a source text, given the book and the version of each type. */
export function unbookedShapes(
  source: string,
  book: ShapeBook,
  versionOf: (type: string) => number,
): string[] {
  const shapes = shapesIn(source)
  const problems = Object.entries(shapes).flatMap(([type, shape]) => {
    const booked = book[type]?.[versionOf(type)]
    if (booked === undefined) return [`${type} version ${versionOf(type)} is not described`]
    const same = JSON.stringify(booked) === JSON.stringify(shape)
    return same ? [] : [`${type} is another than what version ${versionOf(type)} was stored as`]
  })
  const gone = Object.keys(book).filter(type => !(type in shapes))
  return [...problems, ...gone.map(type => `${type} was stored, and is no event any more`)]
}

/** Adds the versions that are not described yet. */
export function describeNewVersions(versionOf: (type: string) => number): void {
  const book = readShapeBook()
  for (const [type, shape] of Object.entries(shapesIn(readEventsSource()))) {
    book[type] = { [versionOf(type)]: shape, ...book[type] }
  }
  const ordered = Object.fromEntries(Object.entries(book).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(bookFile, `${JSON.stringify(ordered, null, 2)}\n`)
}

/** Whether a value has a shape. */
export function hasShape(value: unknown, shape: Shape): boolean {
  if (typeof shape === 'string') {
    const kind = value === null ? 'null' : typeof value
    return shape.split(' | ').some(choice => choice === kind || choice === JSON.stringify(value))
  }
  if (Array.isArray(shape)) {
    const [item] = shape
    return Array.isArray(value) && item !== undefined && value.every(each => hasShape(each, item))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const fields = new Map(Object.entries(shape).map(([name, of]) => [name.replace(/\?$/, ''), of]))
  const present: [string, unknown][] = Object.entries(value)
  const required = Object.keys(shape).filter(name => !name.endsWith('?'))
  return (
    required.every(name => name in value) &&
    present.every(([name, each]) => {
      const of = fields.get(name)
      return of !== undefined && hasShape(each, of)
    })
  )
}
