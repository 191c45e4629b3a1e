import type { Generation, Pointer } from '../read-store/read-store.ts'

/** What one version of the code wants of a projection's generations. */
export type Wanted = { projection: string; version: number; logId: string }

/** A pointer to nothing yet. Its first move gets epoch 0. */
export function firstPointer(projection: string): Pointer {
  return { projection, epoch: -1, lastNumber: 0, live: null, next: null, previous: null, pinned: false }
}

/**
 * Why a new generation has to be built, or null if none has to. `unusable` tells of generations that do not fit the
 * log any more.
 */
export function whyBuild(
  pointer: Pointer,
  generations: readonly Generation[],
  wanted: Wanted,
  unusable: ReadonlyMap<number, string>,
): string | null {
  const find = (number: number | null | undefined) => generations.find(each => each.number === number)
  const unfit = (generation: Generation) =>
    generation.logId === wanted.logId
      ? (unusable.get(generation.number) ?? null)
      : `it was built from log ${generation.logId}, found log ${wanted.logId}`

  if (pointer.next) {
    const next = find(pointer.next.number)
    if (!next) return null
    if (next.version < wanted.version && !pointer.next.pin) {
      return `version ${wanted.version} is newer than version ${next.version}, which was being built`
    }
    return unfit(next)
  }
  const live = find(pointer.live)
  if (!live) return 'there is none yet'
  const misfit = unfit(live)
  if (misfit !== null) return misfit
  if (live.version < wanted.version && !pointer.pinned) {
    return `version ${wanted.version} is newer than version ${live.version}, which is live`
  }
  return null
}

/** Begins to build a new generation. One of another log is not read any longer: its users are not ours. */
export function beginBuilding(
  pointer: Pointer,
  generations: readonly Generation[],
  wanted: Pick<Wanted, 'logId'>,
): Pointer {
  const number = pointer.lastNumber + 1
  const ours = (other: number | null | undefined) =>
    generations.some(each => each.number === other && each.logId === wanted.logId)
  return {
    ...moved(pointer),
    lastNumber: number,
    live: ours(pointer.live) ? pointer.live : null,
    previous: ours(pointer.previous?.number) ? pointer.previous : null,
    next: { number, phase: 'building', pin: false },
  }
}

/** Brings the generation before up to date, to make it the live one again, for good. Null if there is none. */
export function beginRollback(pointer: Pointer): Pointer | null {
  const { previous } = pointer
  return previous && { ...moved(pointer), next: { number: previous.number, phase: 'building', pin: true } }
}

/** Gives up what is being built, if there is something else to read. A newer version of the code begins it again. */
export function giveUpBuilding(pointer: Pointer): Pointer | null {
  return pointer.next && pointer.live !== null ? { ...moved(pointer), next: null } : null
}

/** From now on writers wait for the next generation too. */
export function beginJoining(pointer: Pointer): Pointer | null {
  const { next } = pointer
  return next && { ...moved(pointer), next: { ...next, phase: 'joining' } }
}

/** Makes the next generation the live one; the live one is kept for a way back. */
export function swapIn(pointer: Pointer): Pointer | null {
  const { live, next } = pointer
  return (
    next && {
      ...moved(pointer),
      live: next.number,
      next: null,
      previous: live === null ? null : { number: live, fed: true },
      pinned: next.pin,
    }
  )
}

/** The generation before is kept as it is. */
export function freezePrevious(pointer: Pointer): Pointer | null {
  const { previous } = pointer
  return previous && { ...moved(pointer), previous: { ...previous, fed: false } }
}

/** The generation before is not kept any longer; whatever else goes on goes on. Null if there is none, or it is needed. */
export function giveUpPrevious(pointer: Pointer): Pointer | null {
  const { previous, next } = pointer
  return previous && next?.number !== previous.number ? { ...moved(pointer), previous: null } : null
}

/** Generations that nothing points to. Higher numbers than the pointer knows belong to a newer pointer. */
export function strays(pointer: Pointer, generations: readonly Generation[]): number[] {
  const used = [pointer.live, pointer.next?.number, pointer.previous?.number]
  return generations
    .map(({ number }) => number)
    .filter(number => number <= pointer.lastNumber && !used.includes(number))
}

function moved(pointer: Pointer): Pointer {
  return { ...pointer, epoch: pointer.epoch + 1 }
}
