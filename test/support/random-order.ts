import { createHash, randomInt } from 'node:crypto'
import { relative } from 'node:path'
import type { Suite } from 'mocha'

/**
 * The order of all suites and tests in a file follows from this alone: set it to repeat a run. Whatever process runs a
 * file has it from the first one.
 */
process.env.MOCHA_SEED ??= String(randomInt(2 ** 31))
const seed = process.env.MOCHA_SEED

const exitWithinMs = 10_000

export const mochaHooks = {
  beforeAll(this: Mocha.Context) {
    const root = this.test?.parent
    if (root === undefined) throw new Error('expected the root suite above a root hook, found none')
    shuffle(root)
  },
}

export function mochaGlobalSetup(): void {
  console.error(`  random order, again by MOCHA_SEED=${seed}`)
}

/** A test that leaves a handle open keeps the process alive: that fails the run instead of hanging it. */
export function mochaGlobalTeardown(): void {
  setTimeout(() => {
    console.error(`left open by a test: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit(1)
  }, exitWithinMs).unref()
}

function shuffle(suite: Suite): void {
  sortBySeed(suite.suites)
  sortBySeed(suite.tests)
  for (const child of suite.suites) shuffle(child)
}

function sortBySeed(things: { fullTitle(): string; file?: string | undefined }[]): void {
  const rank = new Map(
    things.map(thing => [thing, rankOf(`${relative('.', thing.file ?? '')}\n${thing.fullTitle()}`)]),
  )
  things.sort((a, b) => Buffer.compare(rank.get(a) ?? noRank, rank.get(b) ?? noRank))
}

const noRank = Buffer.alloc(0)

function rankOf(name: string): Buffer {
  return createHash('sha1').update(`${seed}\n${name}`).digest()
}
