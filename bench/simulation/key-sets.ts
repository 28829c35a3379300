import { ABOVE, compareKeys } from '../../protocol/key.ts'

/** A sorted set of keys that is computed rather than stored: the key at each index, in S3's order. */
export type KeySet = { size: number; at: (index: number) => string }

/** Keys and folders of one answer at most (S3 API reference, ListObjectsV2). */
const MOST_ENTRIES = 1000

/** Index of the first key after `key` in S3's order. */
export function indexAfter({ size, at }: KeySet, key: string): number {
  let low = 0
  let high = size
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(at(middle), key) > 0) high = middle
    else low = middle + 1
  }
  return low
}

/** What S3 answers to a listing with a delimiter: the folders and keys in a folder, after a key in it; at most 1,000 of both. */
export function foldersOf(
  { size, at }: KeySet,
  folder: string,
  startAfter: string,
): { folders: string[]; hasKeys: boolean; end: string | undefined } {
  const folders: string[] = []
  let hasKeys = false
  let index = indexAfter({ size, at }, startAfter)
  let end = ''
  for (let count = 0; index < size && at(index).startsWith(folder); count++) {
    if (count === MOST_ENTRIES) return { folders, hasKeys, end }
    const key = at(index)
    const slash = key.indexOf('/', folder.length)
    end = slash < 0 ? key : key.slice(0, slash + 1)
    if (slash >= 0) folders.push(end)
    else hasKeys = true
    index = slash < 0 ? index + 1 : indexAfter({ size, at }, end + ABOVE)
  }
  return { folders, hasKeys, end: undefined }
}

export function keySet(keys: readonly string[]): KeySet {
  return { size: keys.length, at: (index) => keys[index] as string }
}

/** Mixes an integer into 32 bits that look random. */
export function mix(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x45d9f3b)
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b)
  return (h ^ (h >>> 16)) >>> 0
}

export function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

export function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0')
}

/** 48 bits that look random and rise with the index. */
function spread(index: number, size: number): number {
  const step = 2 ** 48 / size
  return Math.floor(index * step + (mix(index) / 2 ** 32) * (step - 1))
}

/** The keys under weighted folders, each filled by its own function. */
function folders(
  size: number,
  weights: [string, number][],
  fill: (index: number, size: number) => string,
): KeySet {
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0)
  let end = 0
  let weight = 0
  const parts = weights.map(([name, share]) => {
    const start = end
    weight += share
    end = Math.round((size * weight) / total)
    return { name, start, end }
  })
  return {
    size,
    at: (index) => {
      let low = 0
      let high = parts.length - 1
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((parts[middle] as { end: number }).end > index) high = middle
        else low = middle + 1
      }
      const part = parts[low] as { name: string; start: number; end: number }
      return part.name + fill(index - part.start, part.end - part.start)
    },
  }
}

const number = (width: number) => (index: number) => pad(index, width)

/** The hour, as in ISO 8601, that a key stands for when so many days are spread over all keys. */
export function isoHour(index: number, size: number, year: number, days: number): string {
  const at = Date.UTC(year, 0, 1) + Math.floor((index / size) * days * 24) * 3_600_000
  return new Date(at).toISOString().slice(0, 13)
}

function date(index: number, size: number): string {
  return `${isoHour(index, size, 2021, 1300).replace(/[-T]/g, '/')}/part-${pad(index, 8)}.gz`
}

function hivePartition(index: number, size: number): string {
  const [day, hour] = isoHour(index, size, 2022, 900).split('T')
  return `dt=${day}/hour=${hour}/part-${pad(index, 8)}.snappy.parquet`
}

function uuid(index: number, size: number): string {
  const head = hex(spread(index, size), 12)
  const tail = hex(mix(index + 1), 8) + hex(mix(index + 2), 8)
  return `${head.slice(0, 8)}-${head.slice(8)}-4${tail.slice(0, 3)}-a${tail.slice(3, 6)}-${tail.slice(6)}00`
}

function base(index: number, size: number, alphabet: readonly string[], length: number): string {
  let rest = (index + mix(index) / 2 ** 32) / size
  let text = ''
  for (let i = 0; i < length; i++) {
    rest *= alphabet.length
    const digit = Math.floor(rest)
    text += alphabet[digit]
    rest -= digit
  }
  return text
}

const codes = (from: number, count: number, step = 1) =>
  Array.from({ length: count }, (_, i) => String.fromCodePoint(from + i * step))

const BASE62 = [...codes(0x30, 10), ...codes(0x41, 26), ...codes(0x61, 26)]
const CJK = codes(0x4e00, 5000, 4)
const EMOJI = codes(0x1f300, 300)
const MIXED = [...codes(0x61, 26), ...codes(0x3041, 80), ...codes(0x1f400, 50)]

/** Folders in folders, each with some files and a few sub-folders of very unequal weight. */
function tree(size: number): KeySet {
  const keys: string[] = []
  const grow = (path: string, count: number, seed: number) => {
    const here = Math.min(count, 3 + (mix(seed) % 40))
    for (let i = 0; i < here; i++) keys.push(`${path}file-${pad(mix(seed + i) % 100000, 5)}-${i}`)
    let left = count - here
    for (let i = 0; left > 0; i++) {
      const share = i === 7 ? left : Math.ceil((left * ((mix(seed + i * 77) % 100) + 1)) / 160)
      grow(`${path}${hex(mix(seed + i * 31) % 4096, 3)}${i}-dir/`, Math.min(left, share), mix(seed + i))
      left -= Math.min(left, share)
    }
  }
  grow('', size, 7)
  return keySet(keys.sort())
}

/** How keys are spread in the buckets that a run may meet; each with as many keys as asked for. */
export const KEY_SETS: Record<string, (size: number) => KeySet> = {
  'one long prefix': (size) => folders(size, [['x'.repeat(500) + 'é'.repeat(200), 1]], number(12)),
  dates: (size) => folders(size, [['logs/', 1]], date),
  'hive partitions': (size) => folders(size, [['warehouse/events/', 1]], hivePartition),
  'zero-padded numbers': (size) => folders(size, [['', 1]], number(10)),
  'numbers without padding': (size) =>
    keySet(Array.from({ length: size }, (_, index) => String(index)).sort()),
  hex: (size) => ({ size, at: (index) => hex(spread(index, size), 12) + hex(mix(index), 8) }),
  UUIDs: (size) => folders(size, [['images/', 1]], (index, count) => `${uuid(index, count)}.jpg`),
  'UUID folders': (size) =>
    folders(size, [['uploads/', 1]], (index, count) => {
      const file = ['original.jpg', 'small.webp', 'thumb.webp'][index % 3]
      return `${uuid(Math.floor(index / 3), Math.ceil(count / 3))}/${file}`
    }),
  'time-ordered ids': (size) =>
    folders(
      size,
      [['events/', 1]],
      (index) => `${hex(0x18f_0000_0000 + index * 37, 12)}-${hex(mix(index), 8)}`,
    ),
  'base 62': (size) => ({ size, at: (index) => base(index, size, BASE62, 9) }),
  'deep tree': tree,
  'one hot directory': (size) =>
    folders(
      size,
      Array.from({ length: 1000 }, (_, i) => [`${base(i, 1000, BASE62, 2)}/${i}/`, i === 600 ? 20_000 : 1]),
      number(9),
    ),
  'hot directory at the end': (size) =>
    folders(
      size,
      [
        ['a/', 1],
        ['b/', 1],
        ['zz/2024/incoming/', 300],
      ],
      number(9),
    ),
  'tenants of unequal size': (size) =>
    folders(
      size,
      Array.from({ length: 5000 }, (_, i) => [`tenant-${pad(i, 5)}/`, 1 / (1 + (mix(i) % 5000))]),
      date,
    ),
  'emoji folders': (size) =>
    folders(size, [['chats/', 1]], (index, count) => {
      const chat = base(Math.floor(index / 11), Math.ceil(count / 11), EMOJI, 2)
      return `${chat}/${pad(index, 9)}`
    }),
  CJK: (size) => ({ size, at: (index) => `${base(index, size, CJK, 4)}.txt` }),
  'ASCII, CJK, private use and emoji': (size) =>
    folders(
      size,
      [
        ...['!', 'Docs/', 'a+b/', '~'].map((name) => [name, 1] as [string, number]),
        ...CJK.filter((_, i) => i % 250 === 0).map((name) => [`${name}/`, 1] as [string, number]),
        ['\ue000/', 2],
        ['\ufffd', 2],
        ...codes(0x1f600, 20).map((name) => [`${name}/`, 1] as [string, number]),
        ['\u{10ffff}', 2],
      ],
      (index, count) => base(index, count, MIXED, 5),
    ),
}

/** So many keys, spread as {@link KEY_SETS} says under that name. Throws when there is none of that name. */
export function keysNamed(name: string, size: number): KeySet {
  const make = KEY_SETS[name]
  if (!make)
    throw new Error(`there are no keys called ${name}; there are ${Object.keys(KEY_SETS).join(', ')}`)
  return make(size)
}
