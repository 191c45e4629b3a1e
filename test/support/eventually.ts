/** Repeats a check until it holds; after `withinMs` its last failure is thrown. */
export async function eventually(check: () => unknown, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    try {
      await check()
      return
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }
}
