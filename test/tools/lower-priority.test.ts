import { execFile } from 'node:child_process'
import { getPriority } from 'node:os'
import { promisify } from 'node:util'
import { expect } from 'chai'

/** The priority that a process has after it lowered its own, which had this much more than ours. */
async function lowered(more: number): Promise<number> {
  const module = new URL('../../src/tools/lower-priority.ts', import.meta.url)
  const script = `import { getPriority } from 'node:os'
    import { lowerPriority } from ${JSON.stringify(module.href)}
    lowerPriority()
    console.log(getPriority())`
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)('nice', ['-n', String(more), ...node])
  return Number(stdout)
}

describe('the priority of a tool', () => {
  it('is lowered', async () => {
    expect(await lowered(0)).to.equal(Math.max(10, getPriority()))
  })

  it('is never raised, which only root may do', async () => {
    expect(await lowered(15)).to.equal(Math.min(19, getPriority() + 15))
  })
})
