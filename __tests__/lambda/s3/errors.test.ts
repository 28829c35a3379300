import { describe, expect, test } from '@jest/globals'
import { errorOf, isThrottle, isTransient, S3Error } from '../../../lambda/s3/errors.ts'
import { errorXml } from './support.ts'

const answer = (status: number, text = '', headers: Record<string, string> = {}) => ({
  status,
  text,
  header: (name: string) => headers[name],
  headers: () => Object.entries(headers),
})
const error = (code: string, status: number) => new S3Error(code, '', { status })

describe('worth another try', () => {
  test.each([
    ['SlowDown', 503],
    ['SlowDown', 200],
    ['ServiceUnavailable', 503],
    ['InternalError', 500],
    ['InternalError', 200],
    ['Http502', 502],
    ['Http504', 504],
    ['RequestTimeout', 400],
    ['TooManyRequests', 429],
    ['KMS.ThrottlingException', 400],
    ['OperationAborted', 409],
    ['ConditionalRequestConflict', 409],
    ['SomethingNew', 409],
    ['TemporaryRedirect', 307],
    ['RequestTimeTooSkewed', 403],
    ['ExpiredToken', 400],
    ['TokenRefreshRequired', 400],
    ['IncompleteAnswer', 200],
    ['SomethingNew', 200],
    ['ECONNRESET', 0],
    ['ECONNREFUSED', 0],
    ['EAI_AGAIN', 0],
    ['UND_ERR_SOCKET', 0],
    ['UND_ERR_HEADERS_TIMEOUT', 0],
    ['UND_ERR_BODY_TIMEOUT', 0],
    ['UND_ERR_CONNECT_TIMEOUT', 0],
  ])('%s with status %i', (code, status) => {
    expect(isTransient(error(code, status))).toBe(true)
  })
})

describe('definite', () => {
  test.each([
    ['AccessDenied', 403],
    ['AccessDenied', 200],
    ['NoSuchKey', 404],
    ['NoSuchKey', 200],
    ['NoSuchUpload', 200],
    ['InvalidPart', 200],
    ['BadDigest', 200],
    ['PreconditionFailed', 200],
    ['InvalidRequest', 200],
    ['InvalidObjectState', 200],
    ['NoSuchBucket', 404],
    ['NotFound', 404],
    ['InvalidObjectState', 403],
    ['PreconditionFailed', 412],
    ['InvalidRequest', 400],
    ['KeyTooLongError', 400],
    ['SignatureDoesNotMatch', 403],
    ['InvalidAccessKeyId', 403],
    ['PermanentRedirect', 301],
    ['AuthorizationHeaderMalformed', 400],
    ['NotImplemented', 501],
    ['SomethingNew', 400],
    ['CERT_HAS_EXPIRED', 0],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 0],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 0],
    ['UND_ERR_INVALID_ARG', 0],
  ])('%s with status %i', (code, status) => {
    expect(isTransient(error(code, status))).toBe(false)
  })

  test("errors that are not S3's", () => {
    expect(isTransient(new TypeError('a bug'))).toBe(false)
    expect(isTransient(undefined)).toBe(false)
  })
})

test('only refusals for the rate are throttling', () => {
  const throttling = [error('SlowDown', 503), error('SlowDown', 200), error('ServiceUnavailable', 503)]
  expect(throttling.filter(isThrottle)).toEqual(throttling)
  expect([error('InternalError', 500), error('ECONNRESET', 0)].some(isThrottle)).toBe(false)
})

describe('the error of an answer', () => {
  test("has S3's code, message, request id and region", () => {
    const text = errorXml(
      'AuthorizationHeaderMalformed',
      '<Region>eu-west-1</Region><RequestId>R1</RequestId>',
    )
    expect(errorOf(answer(400, text))).toMatchObject({
      code: 'AuthorizationHeaderMalformed',
      message: 'about AuthorizationHeaderMalformed',
      status: 400,
      region: 'eu-west-1',
    })
  })

  test('unescapes the message', () => {
    const text =
      '<Error><Code>X</Code><Message>&lt;a&gt; &amp;amp; &quot;&#233;&#x1F600;&quot;</Message></Error>'
    expect(errorOf(answer(400, text)).message).toBe('<a> &amp; "é😀"')
  })

  test.each([
    [404, 'NotFound'],
    [403, 'Forbidden'],
    [412, 'PreconditionFailed'],
    [503, 'ServiceUnavailable'],
    [502, 'Http502'],
  ])('with status %i and no document is %s', (status, code) => {
    expect(errorOf(answer(status, '<html>Bad Gateway</html>', { 'x-amz-request-id': 'R2' }))).toMatchObject({
      code,
      status,
    })
  })
})
