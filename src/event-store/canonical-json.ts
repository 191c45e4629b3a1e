import type { Json, JsonObject } from './event-store.ts'

/**
 * A JSON value in canonical form (RFC 8785). Every event that is stored or exported goes through this, so it is our
 * own, at a third of a library's time: JSON.stringify writes numbers and strings as the RFC says, once names are in
 * its order.
 */
export function canonicalJson(value: Json): string {
  const ordered = inOrder(value)
  return ordered === undefined ? spelledOut(value) : JSON.stringify(ordered)
}

/** The value with all names in order; undefined if it has a name that no JavaScript object keeps in its place. */
function inOrder(value: Json): Json | undefined {
  if (value === null || typeof value !== 'object') return value
  if (!Array.isArray(value)) return membersInOrder(value)
  const items: Json[] = []
  for (const item of value) {
    const ordered = inOrder(item)
    if (ordered === undefined) return undefined
    items.push(ordered)
  }
  return items
}

function membersInOrder(value: JsonObject): JsonObject | undefined {
  const names = Object.keys(value)
  let isFine = true
  let before = ''
  for (const name of names) {
    if (movesAbout(name)) return undefined
    if (name < before || typeof value[name] === 'object') isFine = false
    before = name
  }
  if (isFine) return value
  const members: JsonObject = {}
  for (const name of names.sort()) {
    const member = value[name]
    const ordered = typeof member === 'object' ? inOrder(member) : member
    if (ordered !== undefined) members[name] = ordered
    else if (member !== undefined) return undefined
  }
  return members
}

/** Objects put whole numbers first, and `__proto__` is no member like others. */
function movesAbout(name: string): boolean {
  const first = name.charCodeAt(0)
  return (first >= 48 && first <= 57) || name === '__proto__'
}

function spelledOut(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(spelledOut).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${spelledOut(member)}`).join(',')}}`
}
