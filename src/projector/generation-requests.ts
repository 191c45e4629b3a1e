import type { JsonObject } from '../event-store/event-store.ts'
import type { Generation, Pointer, ReadStore } from '../read-store/read-store.ts'
import { beginBuilding, beginRollback, firstPointer, giveUpBuilding } from './pointer-moves.ts'
import type { Projection } from './projection.ts'

/** A generation of a projection as this version of the code makes it. */
export function newGeneration(
  {
    name,
    version,
    indexes,
    searched,
  }: Pick<Projection<JsonObject>, 'name' | 'version' | 'indexes' | 'searched'>,
  made: Pick<Generation, 'number' | 'partitions' | 'logId' | 'reason'> & { now: number },
): Generation {
  const { now, ...rest } = made
  return {
    ...rest,
    projection: name,
    version,
    indexes: Object.keys(indexes),
    searched: searched ?? null,
    createdAt: new Date(now).toISOString(),
  }
}

/**
 * Has the workers build a new generation, which they make the live one when it has caught up. Returns its number; that
 * of the one being built already, if there is one.
 */
export async function requestRebuild(
  readStore: ReadStore,
  projection: Pick<Projection<JsonObject>, 'name' | 'version' | 'indexes' | 'searched'>,
  { logId, ...made }: { logId: string; partitions: number; reason: string; now: number },
): Promise<number> {
  for (;;) {
    const pointer = (await readStore.pointer(projection.name)) ?? firstPointer(projection.name)
    if (pointer.next) return pointer.next.number
    const to = beginBuilding(pointer, await readStore.generations(projection.name), { logId })
    if (!(await readStore.movePointer(to))) continue
    await readStore.createGeneration(newGeneration(projection, { ...made, logId, number: to.lastNumber }))
    return to.lastNumber
  }
}

/**
 * Has the workers bring the generation before up to date and make it the live one, pinned against the rebuild that
 * a newer version asks for. Returns its number, also if that was under way already; null if `whyNoRollback` has a reason.
 */
export async function requestRollback(readStore: ReadStore, projection: string): Promise<number | null> {
  const move = (pointer: Pointer) => {
    if (pointer.next) return pointer.next.pin ? pointer : null
    return beginRollback(pointer)
  }
  return (await moveWhile(readStore, projection, move))?.next?.number ?? null
}

/** Why there is no rollback to ask for, or null if there is one, be it under way already. */
export async function whyNoRollback(readStore: ReadStore, projection: string): Promise<string | null> {
  const pointer = await readStore.pointer(projection)
  if (pointer?.next?.pin) return null
  if (pointer?.next)
    return `expected ${projection} at rest, found generation ${pointer.next.number} being built: see replay --status`
  return pointer?.previous
    ? null
    : `expected a generation of ${projection} before the present one, found none`
}

/** Has the workers stop building or rolling back. False if there was nothing, or nothing else to read. */
export async function requestStop(readStore: ReadStore, projection: string): Promise<boolean> {
  return (await moveWhile(readStore, projection, giveUpBuilding)) !== null
}

/**
 * Moves the pointer whoever else moves it, and returns it; also one that `move` gives back as it is. Null if there is none,
 * or no move.
 */
async function moveWhile(
  readStore: ReadStore,
  projection: string,
  move: (pointer: Pointer) => Pointer | null,
): Promise<Pointer | null> {
  for (;;) {
    const pointer = await readStore.pointer(projection)
    const to = pointer && move(pointer)
    if (!to) return null
    if (to === pointer || (await readStore.movePointer(to))) return to
  }
}
