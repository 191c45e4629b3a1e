import type { MeasuredLine, RatioLine, Rounds } from './measuring/comparison.ts'
import type { Crowd, CrowdSize } from './world/crowd.ts'
import type { World } from './world/world.ts'

/** What a run is: how big, how long, where. */
export type Bench = {
  scale: Scale
  /** On the disk that is measured; removed at the end. */
  folder: string
  /** A log with so many users, seeded when it is first asked for. */
  crowd(size: Size): Promise<Crowd>
  /** The same with a Roster that shows it, started when it is first asked for. */
  world(size: Size): Promise<World>
  /** Stops every Roster; their logs stay. */
  closeWorlds(): Promise<void>
  /** Measures, and adds the lines to the table. */
  compare(lines: readonly RatioLine[], rounds?: Partial<Rounds>): Promise<void>
  add(line: MeasuredLine): void
}

export type Size = 'small' | 'large' | 'long'

export type Scale = {
  rounds: number
  roundSeconds: number
  /** A service's whole way through its code is compiled only after tens of thousands of requests. */
  warmUpSeconds: number
  /** Users of the two worlds. */
  small: number
  large: number
  /** In the small world, edited users and edits of each. */
  edited: number
  editsEach: number
  /** The log of the audit suite: three events a user, and some users with a history. */
  long: CrowdSize
  /** Hits of the search for a substring that many names have, and how many pages of ten deep the deep one is. */
  manyHits: number
  deepPages: number
}

/** A case, or a family of them that share what they measure. `npm run bench -- --only <part of its name>`. */
export type Case = { name: string; run(bench: Bench): Promise<void> }

export const fullScale: Scale = {
  rounds: 3,
  roundSeconds: 5,
  warmUpSeconds: 15,
  small: 200_000,
  large: 1_000_000,
  edited: 10_000,
  editsEach: 50,
  long: { users: 1_000_000, edited: 500, editsEach: 50, sessions: 25_000 },
  manyHits: 10_000,
  deepPages: 1000,
}

/** A tenth of the size and time, to try things. */
export const quickScale: Scale = {
  rounds: 3,
  roundSeconds: 0.7,
  warmUpSeconds: 1.4,
  small: 20_000,
  large: 100_000,
  edited: 1000,
  editsEach: 50,
  long: { users: 100_000, edited: 50, editsEach: 50, sessions: 2500 },
  manyHits: 1000,
  deepPages: 100,
}
