import { describe, expect, test } from '@jest/globals'
import { serviceOf } from '../../local/router.ts'

const authorization = (scope: string) =>
  `AWS4-HMAC-SHA256 Credential=test/20261123/${scope}/aws4_request, SignedHeaders=host, Signature=0`

describe('the service of a request', () => {
  test.each(['s3', 'sqs', 'lambda', 'cloudformation', 'sts'])(
    '%s comes from the credential scope',
    (service) => {
      const headers = { authorization: authorization(`eu-west-1/${service}`) }
      expect(serviceOf({ headers, url: '/' })).toBe(service)
    },
  )

  test('comes from the query of a presigned URL', () => {
    const url = '/bucket/key?X-Amz-Credential=test%2F20261123%2Fus-east-1%2Fs3%2Faws4_request'
    expect(serviceOf({ headers: {}, url })).toBe('s3')
  })

  test('is S3 when a request is not signed', () => {
    expect(serviceOf({ headers: {}, url: '/bucket?list-type=2' })).toBe('s3')
  })
})
