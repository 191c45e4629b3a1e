import type { AnyBulkWriteOperation, Collection } from 'mongodb'
import type { FoundBy } from '../projector/projection.ts'
import type { StoredRow } from './mongodb-collections.ts'
import { duplicatesIn } from './mongodb-failures.ts'
import type { StoredDocument } from './read-store.ts'
import { distinctSuffixesOf } from './suffixes.ts'

type Write = AnyBulkWriteOperation<StoredRow>

/** What is kept of a document, with all that it is found by. */
export function createToRow<Document, Index extends string>(foundBy: FoundBy<Document, Index>) {
  const indexes = Object.entries<(document: Document) => string | null>(foundBy.indexes)

  return ({ key, stream, revision, document }: StoredDocument<Document>): StoredRow => {
    const row = { _id: key, stream, revision }
    if (document === null) return { ...row, removed: true }
    const values = indexes.flatMap(([name, valueIn]): [string, string][] => {
      const value = valueIn(document)
      return value === null ? [] : [[name, value]]
    })
    const searched = values.find(([name]) => name === foundBy.searched)?.[1]
    const suffixes = searched === undefined ? {} : { suffixes: distinctSuffixesOf(searched) }
    return { ...row, json: JSON.stringify(document), by: Object.fromEntries(values), ...suffixes }
  }
}

/**
 * Writes those rows whose stored revision is lower. What was not there a moment ago is inserted, which costs a third of
 * an upsert; where another was faster, and everywhere else, what has a lower revision is replaced: no match means that
 * it is there already. Rows of which it was only assumed that they are not there are not written if they are; returns
 * whether there are such.
 */
export async function writeGuarded(
  collection: Collection<StoredRow>,
  rows: readonly StoredRow[],
  { isKnown, isAssumed }: { isKnown(key: string): boolean; isAssumed(key: string): boolean },
): Promise<boolean> {
  const writes = rows.map(row => (isKnown(row._id) ? replacement(row) : { insertOne: { document: row } }))
  const overtaken = (await bulkWrite(collection, writes)).flatMap(index => rows[index] ?? [])
  const again = overtaken.filter(row => !isAssumed(row._id))
  await bulkWrite(collection, again.map(replacement))
  return again.length < overtaken.length
}

/** Stores a row, or removes it, if what is there has the revision found; returns whether it has. */
export async function repairGuarded(
  collection: Collection<StoredRow>,
  { key, found, right }: { key: string; found: bigint | null; right: StoredRow | null },
): Promise<boolean> {
  if (found === null) {
    if (!right) return (await collection.countDocuments({ _id: key }, { limit: 1 })) === 0
    return (await bulkWrite(collection, [{ insertOne: { document: right } }])).length === 0
  }
  const asFound = { _id: key, revision: found }
  if (!right) return (await collection.deleteOne(asFound)).deletedCount === 1
  return (await collection.replaceOne(asFound, right)).matchedCount === 1
}

function replacement(row: StoredRow): Write {
  const filter = { _id: row._id, revision: { $lt: row.revision } }
  return { replaceOne: { filter, replacement: row } }
}

/** Returns the indexes of inserts that met a document. */
async function bulkWrite(collection: Collection<StoredRow>, writes: readonly Write[]): Promise<number[]> {
  if (writes.length === 0) return []
  try {
    await collection.bulkWrite(writes, { ordered: false })
    return []
  } catch (error) {
    const duplicates = duplicatesIn(error)
    if (!duplicates) throw error
    return duplicates
  }
}
