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
  expect(decodeMailWords('=?UTF-8?B?w4PChA==?= \r\n =?UTF-8?B?w4PChA==?=')).toBe(wire('ÄÄ'))
})

test.each([
  ['of more than bytes', `=?UTF-8?B?${Buffer.from('日本').toString('base64')}?=`],
  ['of ASCII alone', '=?UTF-8?B?YQ==?='],
  ['in small letters', '=?utf-8?b?w4PChA==?='],
  ['of what is no UTF-8', '=?UTF-8?Q?=C3?='],
])('words %s are not S3’s: somebody sent them so, and they stay', (_, word) => {
  expect(decodeMailWords(word)).toBe(word)
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
