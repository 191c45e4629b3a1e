import { randomBytes } from 'node:crypto'
import { open, readFile, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InvalidKeys, parseSigningKeys, type SigningKey } from './account/signing-keys.ts'

/** The keys of tokens in a file, a JWK set. Throws InvalidKeys, which names the file and holds nothing of the keys. */
export async function readTokenKeys(file: string): Promise<SigningKey[]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new InvalidKeys(`JWT_KEYS: expected keys in ${file}, cannot read it (${cause.code})`, { cause })
  })
  try {
    return parseSigningKeys(text)
  } catch (error) {
    throw error instanceof InvalidKeys ? new InvalidKeys(`JWT_KEYS: ${file}: ${error.message}`) : error
  }
}

/** Puts a JWK set in place of what the file had, at once and durably; only its owner may read it. */
export async function writeTokenKeys(file: string, keys: readonly object[]): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}.partial`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify({ keys }, null, 2)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await rename(draft, file)
  } catch (error) {
    await unlink(draft).catch(() => {})
    throw error
  }
  const folder = await open(dirname(file), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
