/** What is made once for each index, when it is first needed. */
export function perIndex<Index extends string, Prepared>(prepare: (name: Index) => Prepared) {
  const prepared = new Map<Index, Prepared>()
  return (name: Index): Prepared => {
    const known = prepared.get(name) ?? prepare(name)
    prepared.set(name, known)
    return known
  }
}
