import { describe, expect, test } from '@jest/globals'
import { client } from '../../bench/client/index.ts'
import { coldStart } from '../../bench/cold-start/index.ts'
import { copyFunction } from '../../bench/functions/copy.ts'
import { listFunction } from '../../bench/functions/list.ts'
import { ledger } from '../../bench/ledger/index.ts'
import { withBlock } from '../../bench/page.ts'
import { peers } from '../../bench/peers/index.ts'
import { cpuMsIn, isInstalled, run } from '../../bench/peers/tools.ts'
import { markdown, median, type Report } from '../../bench/report.ts'

describe('each benchmark runs and fills its table', () => {
  test.each(Object.entries({ client, coldStart, copyFunction, listFunction, peers, ledger }))(
    '%s',
    async (_name, benchmark) => {
      const { head, rows } = await benchmark('quick')
      expect(rows.length).toBeGreaterThan(0)
      for (const row of rows) {
        expect(row).toHaveLength(head.length)
        expect(row.join(' ')).not.toMatch(/NaN|Infinity|undefined/)
      }
    },
  )
})

describe('a report', () => {
  const report: Report = {
    title: 'Speed',
    about: 'How fast.',
    head: ['what', 'km/h'],
    rows: [
      ['a snail', '0.003'],
      ['light', '1079252849'],
    ],
    notes: [],
  }

  test('is Markdown with aligned columns', () => {
    expect(markdown(report)).toBe(
      [
        '## Speed',
        '',
        'How fast.',
        '',
        '| what    |       km/h |',
        '| ------- | ---------: |',
        '| a snail |      0.003 |',
        '| light   | 1079252849 |',
      ].join('\n'),
    )
  })

  test('takes the place of the one before in its block of the page, and of nothing else', () => {
    const page = 'a\n\n<!-- x -->\nold\n<!-- /x -->\n\n<!-- y -->\n<!-- /y -->\n'
    const once = withBlock(page, 'x', 'new')
    expect(once).toBe('a\n\n<!-- x -->\n\nnew\n\n<!-- /x -->\n\n<!-- y -->\n<!-- /y -->\n')
    expect(withBlock(once, 'x', 'new')).toBe(once)
    expect(() => withBlock(page, 'z', 'new')).toThrow('no lines <!-- z -->')
  })
})

test('the median of an even number of values is one of them, of none NaN', () => {
  expect([1, 3]).toContain(median([3, 1]))
  expect(median([5, 1, 3])).toBe(3)
  expect(median([])).toBeNaN()
})

describe('a peer', () => {
  test('is looked for on the PATH', async () => {
    expect(await isInstalled('sh')).toBe(true)
    expect(await isInstalled('no-such-command-anywhere')).toBe(false)
  })

  test('is told what it took by the shell', async () => {
    expect(cpuMsIn('said 1m2s\n0m0.01s 0m0.02s\n1m2.50s 0m0.25s\n')).toBe(62_750)
    const { cpuMs, said } = await run(process.execPath, ['-e', 'console.log(process.env.WORD)'], {
      WORD: 'hello',
    })
    expect(said).toContain('hello')
    expect(cpuMs).toBeGreaterThan(0)
  })

  test('that fails says why', async () => {
    await expect(run('sh', ['-c', 'echo no such bucket; exit 3'], {})).rejects.toThrow(
      /ended with 3: no such bucket/,
    )
  })
})
