import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { logLine, markdown, printable, shorten } from '../../src/text.ts'

describe('printable', () => {
  test.each([
    ['a\n::set-output name=copied::0', 'a\\u{a}::set-output name=copied::0'],
    ['::error::x', '\\u{3a}:error::x'],
    ['\u00a0 ::error::x', '\u00a0 \\u{3a}:error::x'],
    ['arn:aws:s3:::photos', 'arn:aws:s3:::photos'],
    ['##[error]no', '#\\u{23}[error]no'],
    ['tab\tand\rreturn', 'tab\\u{9}and\\u{d}return'],
    ['exe.\u202egnp', 'exe.\\u{202e}gnp'],
    ['zero\u200bwidth', 'zero\\u{200b}width'],
    ['\u2028\u2029', '\\u{2028}\\u{2029}'],
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['back\\slash', 'back\\\\slash'],
    ['日本語 🚀 é', '日本語 🚀 é'],
  ])('%j shows as %s', (text, shown) => expect(printable(text)).toBe(shown))

  test('whatever a key holds, the text stays on its line and can’t be a workflow command', () => {
    const nasty = fc.constantFrom('::', ':', '##[', '#', '[', '\n', '\r', '\u2028', 'error', '\\', '%0A')
    fc.assert(
      fc.property(fc.array(fc.oneof(nasty, fc.string({ unit: 'binary' })), { maxLength: 12 }), (parts) => {
        const shown = printable(parts.join(''))
        expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
        expect(shown).not.toMatch(/^\s*::/)
        expect(shown).not.toContain('##[')
      }),
    )
  })
})

test('a line of the log keeps ARNs readable, and holds nothing that the runner takes for a command', () => {
  const hostile = 'CREATE_FAILED arn:aws:s3:::photos\n::error::x ##[add-mask]y \u202e\u001b[31m'
  expect(logLine(hostile)).toBe(
    'CREATE_FAILED arn:aws:s3:::photos ::error::x #\\u{23}[add-mask]y \\u{202e}\\u{1b}[31m',
  )
})

describe('markdown', () => {
  test.each([
    '| a | b |',
    '**bold** _it_ ~~no~~',
    '<img src=x onerror=alert(1)>',
    '[link](https://example.com)',
    '`code`',
    '@everyone #1 :rocket:',
    '$math$',
    '&lt;',
    'www.example.com',
  ])('%j keeps no character that Markdown or HTML reads', (text) => {
    expect(markdown(text).replaceAll(/&#\d+;/g, '')).not.toMatch(/[|*_~<>[\]()`@#:$&"'\\]|www\./)
  })

  test('what the browser shows is the text itself', () => {
    const show = (html: string) =>
      html.replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 50 }), (text) => {
        expect(show(markdown(text, 10_000))).toBe(printable(text))
      }),
    )
  })
})

test('shorten never cuts inside a character', () => {
  expect(shorten('🚀🚀🚀', 2)).toBe('🚀…')
  expect(shorten('🚀🚀🚀', 3)).toBe('🚀🚀🚀')
})
