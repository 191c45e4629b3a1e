/** One of `choice`, each as likely. */
export function anyOf<T>(choice: readonly T[]): T {
  const chosen = choice[Math.floor(Math.random() * choice.length)]
  if (chosen === undefined) throw new RangeError('expected something to choose from, found nothing')
  return chosen
}

/** The same in an order as good as any other. */
export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map(item => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item)
}

/** Goes through `items` again and again. */
export function inTurn<T>(items: readonly T[]): () => T {
  let at = 0
  return () => {
    const item = items[at++ % items.length]
    if (item === undefined) throw new RangeError('expected something to go through, found nothing')
    return item
  }
}

/** The part of `items` that belongs to connection `share` of `shares`. */
export function shareOf<T>(items: readonly T[], share: number, shares: number): T[] {
  return items.filter((_, at) => at % shares === share)
}
