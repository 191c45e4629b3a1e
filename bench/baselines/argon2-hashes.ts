import argon2 from 'argon2'

/** Answers `{ seconds }` with how many argon2id hashes in a second this machine makes, 16 asked for at once. */
const [memoryCost, timeCost, parallelism] = process.argv.slice(2).map(Number)
if (!memoryCost || !timeCost || !parallelism) throw new Error('expected memory (KiB), time cost, parallelism')
const parameters = { type: argon2.argon2id, memoryCost, timeCost, parallelism } as const
const inFlight = 16

async function hashesPerSecond(seconds: number): Promise<number> {
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  let done = 0
  const hashOn = async () => {
    while (elapsed() < seconds) {
      await argon2.hash(`correct horse ${done}`, parameters)
      done++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, hashOn))
  return done / elapsed()
}

process.on('message', async (question: { seconds: number }) => {
  process.send?.(await hashesPerSecond(question.seconds))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
