import type { Layout } from './world/service.ts'
import type { Stores, World, WorldNeeds } from './world/world.ts'

/** How often a fault is met with `--quick`, and in the whole run. */
export type Rounds = { quick: number; whole: number }

/** How much is done at a time. */
export type Extent = {
  isQuick: boolean
  fuzzRequests: number
  soakMinutes: number
  toolUsers: number
  /** The tools to be killed; none: all of them. */
  tools: readonly string[]
}

/** Something that goes wrong while people use Roster. */
export type Fault = {
  name: string
  on: readonly Stores[]
  layout: Layout
  rounds: Rounds
  /** Where `--quick` meets it; on all if left out. */
  quickOn?: Stores
  /** Nothing else goes wrong meanwhile: it takes all that the machine has. */
  alone?: true
  needs?: WorldNeeds
  /** Why this machine cannot do it; null if it can. */
  cannot?(): Promise<string | null>
  /**
   * Does it under load, ends it, and tells in a few words what was done. What must not be goes to the ledger; whether
   * anything is lost is looked at afterwards.
   */
  commit(world: World, extent: Extent): Promise<string>
}
