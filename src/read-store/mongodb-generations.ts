import type { IndexDescription } from 'mongodb'
import { type Collections, type GenerationRow, indexField } from './mongodb-collections.ts'
import { isDuplicateKey } from './mongodb-failures.ts'
import { type Generation, generationFollower } from './read-store.ts'

export const suffixIndex = 'suffixes'
export const valueIndex = (index: string): string => `by_${index}`

type Named = Pick<Generation, 'projection' | 'number'>

/**
 * The collections of generations and the book of them. A generation is in the book before its collection is there, and
 * until it is gone: so whatever collection is not in the book was made by somebody's late write, and can go.
 */
export type Generations = ReturnType<typeof createGenerations>

export function createGenerations(collections: Collections) {
  const { generations: book, leases, parked } = collections

  async function makeIndexes(generation: Generation): Promise<void> {
    const indexes: IndexDescription[] = generation.indexes.map(name => ({
      key: { [indexField(name)]: 1, _id: 1 },
      name: valueIndex(name),
    }))
    if (generation.searched !== null) indexes.push({ key: { suffixes: 1 }, name: suffixIndex })
    if (indexes.length > 0) await collections.documents(generation).createIndexes(indexes)
  }

  /** Everything of it, and at last its name in the book. */
  async function remove(generation: Named): Promise<void> {
    const _id = generationFollower(generation)
    await collections.documents(generation).drop()
    await leases.deleteMany({ follower: _id })
    await parked.deleteMany({ follower: _id })
    await book.deleteOne({ _id })
  }

  const inBook = async (): Promise<GenerationRow[]> => book.find().toArray()

  return {
    /** Indexes that are missing, and the end of what was begun and not finished. */
    async prepare(): Promise<void> {
      await book.createIndex({ projection: 1, number: 1 })
      const rows = await inBook()
      for (const { state, generation } of rows) {
        if (state === 'ready') await makeIndexes(generation)
        const isGivenUp = state === 'making' && rows.some(row => isLater(row, generation))
        if (state === 'dropping' || isGivenUp) await remove(generation)
      }
      await this.dropStrays()
    },

    async ready(projection: string): Promise<Generation[]> {
      const rows = await book.find({ projection, state: 'ready' }).sort({ number: 1 }).toArray()
      return rows.map(({ generation }) => generation)
    },

    async create(generation: Generation): Promise<void> {
      const _id = generationFollower(generation)
      const { projection, number } = generation
      const row: GenerationRow = { _id, projection, number, state: 'making', generation }
      await book.insertOne(row).catch(error => {
        if (!isDuplicateKey(error)) throw error
      })
      await makeIndexes(generation)
      await book.updateOne({ _id, state: 'making' }, { $set: { state: 'ready' } })
    },

    async drop(generation: Named): Promise<void> {
      await book.updateOne({ _id: generationFollower(generation) }, { $set: { state: 'dropping' } })
      await remove(generation)
    },

    /** Drops the collections that are in no book. */
    async dropStrays(): Promise<void> {
      // In this order: what is made in between is not looked at.
      const existing = await collections.existingDocuments()
      const known = new Set((await inBook()).map(row => collections.documents(row).collectionName))
      for (const name of existing) if (!known.has(name)) await collections.drop(name)
    },
  }
}

function isLater(row: GenerationRow, { projection, number }: Named): boolean {
  return row.projection === projection && row.number > number && row.state === 'ready'
}
