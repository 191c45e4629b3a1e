const atOnce = 512

/** Does `work` for every item, many at a time. */
export async function eachAtOnce<T>(
  items: readonly T[],
  work: (item: T, at: number) => Promise<void>,
): Promise<void> {
  const left = items.entries()
  const workOn = async () => {
    for (const [at, item] of left) await work(item, at)
  }
  await Promise.all(Array.from({ length: atOnce }, workOn))
}
