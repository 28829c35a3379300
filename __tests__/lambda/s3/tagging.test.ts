import { describe, expect, test } from '@jest/globals'
import { GET_OBJECT_TAGGING } from '../../../lambda/s3/index.ts'
import { client, serve } from './support.ts'

const answer = (inside: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</Tagging>`

describe('the tags of an object', () => {
  test.each([
    ['an element without content', '<TagSet/>', ''],
    ['the same with a blank', '<TagSet />', ''],
    ['a start and an end', '<TagSet></TagSet>', ''],
    ['lines and indentation', '\n  <TagSet>\n  </TagSet>\n', ''],
    [
      'values with and without content',
      '<TagSet><Tag><Key>a+b &amp; c</Key><Value>1=1</Value></Tag>\n<Tag><Key>d</Key><Value/></Tag></TagSet>',
      'a%2Bb%20%26%20c=1%3D1&d=',
    ],
  ])('are read from %s', async (_, inside, tagging) => {
    const { url } = await serve(() => ({ body: answer(inside) }))
    expect(await client(url).perform(GET_OBJECT_TAGGING, { bucket: 'b', key: 'k' })).toBe(tagging)
  })
})
