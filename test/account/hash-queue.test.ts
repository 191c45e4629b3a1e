import { expect } from 'chai'
import { Overloaded } from '../../src/account/domain-error.ts'
import { createHashQueue } from '../../src/account/hash-queue.ts'

/** Work that notes that it began, and goes on until it is let go. */
function holdable(begun: string[]) {
  const releases = new Map<string, () => void>()
  return {
    work: (name: string) => () => {
      begun.push(name)
      return new Promise<string>(resolve => releases.set(name, () => resolve(name)))
    },
    release: (name: string) => releases.get(name)?.(),
  }
}

async function overloaded(promise: Promise<unknown>): Promise<boolean> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  return error instanceof Overloaded
}

const turns = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('the hash queue', () => {
  it('runs so many at once, and the others in the order they came', async () => {
    const begun: string[] = []
    const { work, release } = holdable(begun)
    const queue = createHashQueue({ concurrency: 2, queueLimit: 10 })
    const all = ['a', 'b', 'c', 'd', 'e'].map(name => queue.run(work(name)))
    await turns()
    expect(begun).to.deep.equal(['a', 'b'])
    expect([queue.running, queue.waiting]).to.deep.equal([2, 3])

    release('b')
    await turns()
    expect(begun).to.deep.equal(['a', 'b', 'c'])
    release('a')
    release('c')
    await turns()
    expect(begun).to.deep.equal(['a', 'b', 'c', 'd', 'e'])
    expect([queue.running, queue.waiting]).to.deep.equal([2, 0])

    release('d')
    release('e')
    expect(await Promise.all(all)).to.deep.equal(['a', 'b', 'c', 'd', 'e'])
    expect(queue.running).to.equal(0)
  })

  it('refuses at once what comes when it is full, and nothing else', async () => {
    const begun: string[] = []
    const { work, release } = holdable(begun)
    const queue = createHashQueue({ concurrency: 1, queueLimit: 1 })
    const first = queue.run(work('a'))
    const second = queue.run(work('b'))
    expect(await overloaded(queue.run(work('c')))).to.equal(true)
    release('a')
    expect(await first).to.equal('a')
    const fourth = queue.run(work('d'))
    await turns()
    release('b')
    await second
    await turns()
    release('d')
    expect(await fourth).to.equal('d')
    expect(begun).to.deep.equal(['a', 'b', 'd'])
  })

  it('lets nobody wait when its limit is none', async () => {
    const { work, release } = holdable([])
    const queue = createHashQueue({ concurrency: 1, queueLimit: 0 })
    const first = queue.run(work('a'))
    expect(await overloaded(queue.run(work('b')))).to.equal(true)
    release('a')
    await first
  })

  it('never begins what is past its deadline when it comes', async () => {
    const begun: string[] = []
    const { work } = holdable(begun)
    const queue = createHashQueue({ concurrency: 1, queueLimit: 1 })
    expect(await overloaded(queue.run(work('a'), performance.now() - 1))).to.equal(true)
    expect(begun).to.deep.equal([])
    expect(queue.running).to.equal(0)
  })

  it('gives up what passes its deadline in the queue, before its turn has come', async () => {
    const begun: string[] = []
    const { work, release } = holdable(begun)
    const queue = createHashQueue({ concurrency: 1, queueLimit: 2 })
    const first = queue.run(work('a'))
    const late = queue.run(work('late'), performance.now() + 10)
    const patient = queue.run(work('patient'), performance.now() + 2 ** 40)
    expect(await overloaded(late)).to.equal(true)
    expect([queue.running, queue.waiting]).to.deep.equal([1, 1])
    release('a')
    await first
    await turns()
    release('patient')
    expect(await patient).to.equal('patient')
    expect(begun).to.deep.equal(['a', 'patient'])
  })

  it('goes on with the next one after a failure', async () => {
    const queue = createHashQueue({ concurrency: 1, queueLimit: 1 })
    const failing = queue.run(() => Promise.reject(new Error('no memory')))
    const next = queue.run(() => Promise.resolve('next'))
    expect(await failing.catch((error: Error) => error.message)).to.equal('no memory')
    expect(await next).to.equal('next')
    expect(queue.running).to.equal(0)
  })
})
