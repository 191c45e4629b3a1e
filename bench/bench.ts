import type { MeasuredLine, RatioLine } from './measuring/comparison.ts'
import type { Crowd } from './world/crowd.ts'
import type { World } from './world/world.ts'

/** What a run is: how big, how long, where. */
export type Bench = {
  scale: Scale
  /** On the disk that is measured; removed at the end. */
  folder: string
  /** A world with so many users, made when it is first asked for. */
  world(size: 'small' | 'large'): Promise<World>
  /** Stops a world's Roster for good, and leaves its log. */
  closeWorld(size: 'small' | 'large'): Promise<Crowd>
  /** Measures, and adds the lines to the table. */
  compare(lines: readonly RatioLine[], rounds?: { count?: number; seconds?: number }): Promise<void>
  add(line: MeasuredLine): void
}

export type Scale = {
  rounds: number
  roundSeconds: number
  /** Users of the two worlds. */
  small: number
  large: number
  /** In the small world, edited users and edits of each. */
  edited: number
  editsEach: number
  /** Hits of the search for a substring that many names have, and how many pages of ten deep the deep one is. */
  manyHits: number
  deepPages: number
}

/** A case, or a family of them that share what they measure. `npm run bench -- --only <part of its name>`. */
export type Case = { name: string; run(bench: Bench): Promise<void> }

export const fullScale: Scale = {
  rounds: 5,
  roundSeconds: 4,
  small: 200_000,
  large: 1_000_000,
  edited: 10_000,
  editsEach: 50,
  manyHits: 10_000,
  deepPages: 1000,
}

/** A tenth of the size and time, to try things. */
export const quickScale: Scale = {
  rounds: 3,
  roundSeconds: 0.7,
  small: 20_000,
  large: 100_000,
  edited: 1000,
  editsEach: 50,
  manyHits: 1000,
  deepPages: 100,
}
