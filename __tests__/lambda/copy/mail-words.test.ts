import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeMailWords } from '../../../lambda/copy/mail-words.ts'

/** As bytes on the wire. */
const wire = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

test('the example of S3’s user guide is undone', () => {
  expect(decodeMailWords('=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=')).toBe(wire('ÄMÄZÕÑ S3'))
})

test('quoted words, and words that are folded into several', () => {
  expect(decodeMailWords('=?UTF-8?Q?a_=C3=83=C2=84?=')).toBe(wire('a Ä'))
  expect(decodeMailWords('=?utf-8?b?w4PChA==?= \r\n =?utf-8?b?w4PChA==?=')).toBe(wire('ÄÄ'))
})

test('words of the bytes themselves, as some servers make them', () => {
  const word = `=?UTF-8?B?${Buffer.from('日本').toString('base64')}?=`
  expect(decodeMailWords(word)).toBe(wire('日本'))
})

test('any metadata that S3 encodes comes back as it was sent', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      const sent = wire(text)
      const answered = /^[\x20-\x7e]*$/.test(sent)
        ? sent
        : `=?UTF-8?B?${Buffer.from(sent, 'utf8').toString('base64')}?=`
      return decodeMailWords(answered) === sent || /^=\?/.test(text)
    }),
  )
})

test('what only looks a little like words stays', () => {
  for (const text of [
    '',
    'plain',
    '=?UTF-8?B?',
    'a =?UTF-8?B?w4PChA==?=',
    '=?UTF-8?X?abc?=',
    '=?ISO-8859-1?Q?Gr=FC=DFe?=',
    '=?UTF-8?B?DQo=?=',
  ])
    expect(decodeMailWords(text)).toBe(text)
})
