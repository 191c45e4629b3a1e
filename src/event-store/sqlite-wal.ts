import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { StoreUnavailable } from './event-store.ts'

/** `frame` counts from 1; 0 is the header. `intactBytes`: what is before it. `commits`: at least so many are behind it. */
export type WalDamage = { frame: number; frames: number; intactBytes: number; commits: number }

type Sum = readonly [number, number]
type Header = { salts: string; sum: Sum; isLittleEndian: boolean }
type Frame = { salts: string; commits: boolean; sum: Sum; follows(before: Sum): boolean }

const headerBytes = 32
const frameHeaderBytes = 24
const magic = 0x377f0682
const windowBytes = 2 ** 20
const defaultPageBytes = 4096
/** Another process may be writing just where it is read. */
const looks = 3
const lookAgainMs = 50

/** Throws StoreUnavailable, before SQLite passes over it in silence, if what was acknowledged is lost to damage. */
export async function requireSoundWal(file: string): Promise<void> {
  let damage = findWalDamage(file)
  for (let look = 1; damage && look < looks; look++) {
    await pause(lookAgainMs)
    damage = findWalDamage(file)
  }
  if (!damage) return
  const { frame, frames, intactBytes, commits } = damage
  const where = frame === 0 ? 'its header' : `frame ${frame} of ${frames}`
  const cut = frame === 0 ? `move it away` : `truncate -s ${intactBytes} ${file}-wal`
  throw new StoreUnavailable(
    `${file}-wal is damaged: expected the checksum of ${where} to be right, found it wrong, and behind it at least ` +
      `${commits} commits that were on disk. Nothing was changed: restore a backup, or accept their loss (${cut})`,
  )
}

/**
 * Looks for damage in the write-ahead log of a SQLite file each of whose commits is on disk before the next is written;
 * null if there is none to be known of. SQLite itself reads up to the first frame with a wrong checksum and takes that for the end.
 *
 * It is the end where a write was cut off. But what follows a commit is written once that commit is on disk: where a
 * frame that was written right behind a commit is found behind the first wrong one, something was lost that had been
 * kept. Damage within the last commit cannot be told from a write that was cut off.
 */
export function findWalDamage(file: string): WalDamage | null {
  const wal = openToRead(`${file}-wal`)
  if (wal === null) return null
  try {
    const size = fstatSync(wal).size
    if (size < headerBytes) return null
    const bytesAt = readerOf(wal)
    const start = bytesAt(0, headerBytes)
    const header = readHeader(start)
    const pageBytes = (header && start.getUint32(8)) || pageBytesOf(file)
    const frameBytes = frameHeaderBytes + pageBytes
    const frames = Math.floor((size - headerBytes) / frameBytes)
    const frameAt = (n: number) =>
      readFrame(bytesAt(headerBytes + (n - 1) * frameBytes, frameBytes), header?.isLittleEndian ?? true)

    const intact = header ? countIntact(header, frames, frameAt) : 0
    const commits = countLostCommits(header ? intact + 1 : 1, frames, frameAt, header?.salts)
    if (commits === 0) return null
    const frame = header ? intact + 1 : 0
    return { frame, frames, intactBytes: header ? headerBytes + intact * frameBytes : 0, commits }
  } finally {
    closeSync(wal)
  }
}

function countIntact(header: Header, frames: number, frameAt: (n: number) => Frame): number {
  let sum = header.sum
  for (let n = 1; n <= frames; n++) {
    const frame = frameAt(n)
    if (frame.salts !== header.salts || !frame.follows(sum)) return n - 1
    sum = frame.sum
  }
  return frames
}

/** Other salts are of what was written before the log was last begun anew, and is in the file itself by now. */
function countLostCommits(
  first: number,
  frames: number,
  frameAt: (n: number) => Frame,
  salts: string | undefined,
): number {
  let commits = 0
  let before: Frame | null = null
  for (let n = first; n <= frames; n++) {
    const frame = frameAt(n)
    const wanted: string | undefined = salts ?? before?.salts
    if (before?.commits && before.salts === wanted && frame.salts === wanted && frame.follows(before.sum))
      commits++
    before = frame
  }
  return commits
}

function readHeader(bytes: DataView): Header | null {
  const found = bytes.getUint32(0)
  const isLittleEndian = found === magic
  const sum = checksum([0, 0], bytes, 0, 24, isLittleEndian)
  const isSound = (isLittleEndian || found === magic + 1) && isSame(sum, sumAt(bytes, 24))
  return isSound ? { salts: saltsAt(bytes, 16), sum, isLittleEndian } : null
}

function readFrame(bytes: DataView, isLittleEndian: boolean): Frame {
  const sum = sumAt(bytes, 16)
  return {
    salts: saltsAt(bytes, 8),
    // How many pages the file has after a commit; 0 within a transaction.
    commits: bytes.getUint32(4) !== 0,
    sum,
    follows(before) {
      const head = checksum(before, bytes, 0, 8, isLittleEndian)
      return isSame(checksum(head, bytes, frameHeaderBytes, bytes.byteLength, isLittleEndian), sum)
    },
  }
}

function checksum(from: Sum, bytes: DataView, start: number, end: number, isLittleEndian: boolean): Sum {
  let [a, b] = from
  for (let at = start; at < end; at += 8) {
    a = (a + bytes.getUint32(at, isLittleEndian) + b) >>> 0
    b = (b + bytes.getUint32(at + 4, isLittleEndian) + a) >>> 0
  }
  return [a, b]
}

const isSame = (one: Sum, other: Sum) => one[0] === other[0] && one[1] === other[1]
const sumAt = (bytes: DataView, at: number): Sum => [bytes.getUint32(at), bytes.getUint32(at + 4)]
const saltsAt = (bytes: DataView, at: number) => `${bytes.getUint32(at)} ${bytes.getUint32(at + 4)}`

/** As the file's own header says, for a log whose header cannot be read. */
function pageBytesOf(file: string): number {
  const database = openToRead(file)
  if (database === null) return defaultPageBytes
  try {
    const said = readerOf(database)(16, 2).getUint16(0)
    return said === 1 ? 65_536 : said || defaultPageBytes
  } finally {
    closeSync(database)
  }
}

function openToRead(file: string): number | null {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** Gives bytes of a file, which it reads a megabyte at a time; zeros where the file ends before. */
function readerOf(fd: number): (position: number, length: number) => DataView {
  let window = new Uint8Array()
  let from = 0
  return (position, length) => {
    if (position < from || position + length > from + window.length) {
      window = new Uint8Array(Math.max(length, windowBytes))
      from = position
      readSync(fd, window, 0, window.length, position)
    }
    return new DataView(window.buffer, position - from, length)
  }
}
