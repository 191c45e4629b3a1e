/** Repeats a check until it holds; after `withinMs` its last failure is thrown. */
export async function eventually(check: () => void | Promise<void>, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }
}
