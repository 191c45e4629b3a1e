/**
 * Makes one question of what is asked within one turn of the event loop: `ask` is given the keys, each once and at most
 * so many, and answers by key. A server answers one question about sixteen keys far sooner than sixteen questions.
 */
export function askTogether<Answer>(
  most: number,
  ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, Answer>>,
): (key: string) => Promise<Answer | null> {
  type Question = { keys: Set<string>; answers: Promise<ReadonlyMap<string, Answer>> }
  let open: Question | null = null

  function begin(): Question {
    const keys = new Set<string>()
    const answers = new Promise(resolve => setImmediate(resolve)).then(() => {
      if (open === question) open = null
      return ask([...keys])
    })
    const question = { keys, answers }
    return question
  }

  return async key => {
    open ??= begin()
    const { keys, answers } = open
    keys.add(key)
    if (keys.size >= most) open = null
    return (await answers).get(key) ?? null
  }
}
