import { describe, expect, test } from '@jest/globals'
import { addressOf, parseEndpoint } from '../../../lambda/s3/address.ts'

describe('the address of an object', () => {
  test.each([
    ['us-east-1', 'https://bucket.s3.us-east-1.amazonaws.com'],
    ['us-gov-west-1', 'https://bucket.s3.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'https://bucket.s3.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', 'https://bucket.s3.eusc-de-east-1.amazonaws.eu'],
    ['us-iso-east-1', 'https://bucket.s3.us-iso-east-1.c2s.ic.gov'],
    ['us-isob-east-1', 'https://bucket.s3.us-isob-east-1.sc2s.sgov.gov'],
  ])('in %s is at %s', (region, origin) => {
    expect(addressOf({ bucket: 'bucket', key: 'a b', region })).toEqual({ origin, path: '/a%20b' })
  })

  test.each(['with.dots', 'Upper', 'under_score'])('has the bucket %s in the path', (bucket) => {
    expect(addressOf({ bucket, key: '/k', region: 'eu-west-1' })).toEqual({
      origin: 'https://s3.eu-west-1.amazonaws.com',
      path: `/${bucket}//k`,
    })
  })

  test('has the bucket in the path for the key `soap`, which S3 keeps for itself below the name of a bucket', () => {
    expect(addressOf({ bucket: 'bucket', key: 'soap', region: 'eu-west-1' })).toEqual({
      origin: 'https://s3.eu-west-1.amazonaws.com',
      path: '/bucket/soap',
    })
    expect(addressOf({ bucket: 'bucket', key: 'soap/', region: 'eu-west-1' }).path).toBe('/soap/')
  })

  test('has the bucket in the path of a given endpoint', () => {
    const target = { bucket: 'bucket', region: 'eu-west-1', endpoint: 'http://localhost:9000' }
    expect(addressOf({ ...target, key: 'k' })).toEqual({ origin: 'http://localhost:9000', path: '/bucket/k' })
    expect(addressOf(target)).toEqual({ origin: 'http://localhost:9000', path: '/bucket' })
  })

  test('of the bucket itself is its root', () => {
    expect(addressOf({ bucket: 'bucket', region: 'eu-west-1' }).path).toBe('/')
  })
})

describe('an endpoint', () => {
  test('is a host and a port', () => {
    expect(parseEndpoint('http://127.0.0.1:4566/')).toBe('http://127.0.0.1:4566')
    expect(parseEndpoint('https://minio.example')).toBe('https://minio.example')
  })

  test.each(['minio:9000', 'nonsense', 'http://host/path', 'ftp://host'])('is not %s', (text) => {
    expect(() => parseEndpoint(text)).toThrow(text)
  })
})
