import { expect, test } from '@jest/globals'
import { Alphabet, END } from '../../../lambda/list/alphabet.ts'

const codes = (letters: string) => [...letters].map((letter) => letter.codePointAt(0))

function learnt(keys: string[]): Alphabet {
  const alphabet = new Alphabet()
  alphabet.learn(keys.map((key) => ({ key })))
  return alphabet
}

test('a slash is expected only where names of folders have ended', () => {
  const tenants = Array.from({ length: 800 }, (_, i) => `tenant-${String(i).padStart(5, '0')}/file-${i % 10}`)
  const alphabet = learnt(tenants)
  expect(alphabet.following('tenant-00')).not.toContain('/'.codePointAt(0))
  expect(alphabet.following('tenant-00')).toEqual(expect.arrayContaining(codes('01234567')))
  expect(alphabet.following('tenant-00042')).toContain('/'.codePointAt(0))
})

test('a key is expected to end only where keys have ended', () => {
  const alphabet = learnt(Array.from({ length: 800 }, (_, i) => String(1000 + i)))
  expect(alphabet.following('12')).not.toContain(END)
  expect(alphabet.following('1234')).toContain(END)
})

test('a key may end with a slash, but a folder is no key', () => {
  expect(learnt(Array.from({ length: 800 }, (_, i) => `${1000 + i}/`)).following('1234/')).toContain(END)
  const alphabet = learnt(['1000/a', '1001/b'])
  alphabet.learnFolders(Array.from({ length: 800 }, (_, i) => `${1000 + i}/`))
  expect(alphabet.following('1234/')).not.toContain(END)
  expect(alphabet.following('1234')).toContain('/'.codePointAt(0))
})

test('names of folders whose letters are known tell nothing', () => {
  const keys = Array.from({ length: 800 }, (_, i) => `iot/${i % 2 ? 'ab' : 'ba'}/${i}`).sort()
  const alphabet = learnt(keys)
  const before = alphabet.following('iot/a')
  alphabet.learnFolders(['iot/aa/', 'iot/bb/'])
  expect(alphabet.following('iot/a')).toEqual(before)
})

test('names of many lengths may end anywhere', () => {
  const alphabet = learnt(Array.from({ length: 8_000 }, (_, i) => String(i)).sort())
  for (const start of ['1', '12', '123']) expect(alphabet.following(start)).toContain(END)
})

test('names begin with letters of other names in folders of the same depth, not of those in them', () => {
  const hex = (value: number) => value.toString(16).padStart(4, '0')
  // All begin with a zero: what else folders may begin with is to be told from what follows.
  const folders = Array.from({ length: 800 }, (_, i) => `uploads/${hex(i)}/${i % 2 ? 'original' : 'thumb'}`)
  expect(learnt(folders).following('uploads/')).toEqual(codes('0123456789abcdef'))
  expect(learnt(folders).following('uploads/0000/')).toEqual(codes('ot'))
})

test('a page of keys comes from a few folders, and the names of a thousand tell what others begin with', () => {
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  const keys = Array.from({ length: 1_000 }, (_, i) => `chats/a${letters[Math.floor(i / 200)]}/${i}`)
  const alphabet = learnt(keys)
  expect(alphabet.following('chats/')).not.toContain('z'.codePointAt(0))
  const folders = letters.flatMap((second) => [`chats/a${second}/`, `chats/b${second}/`]).sort()
  alphabet.learnFolders(folders)
  expect(alphabet.following('chats/')).toEqual(expect.arrayContaining(codes(letters.join(''))))
})

test('there is always a letter to go on with, wherever a guess has led', () => {
  const alphabet = learnt(['a', 'b'])
  expect(alphabet.following('a/b/c/d')).not.toEqual([])
})
