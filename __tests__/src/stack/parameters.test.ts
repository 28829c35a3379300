import { describe, expect, test } from '@jest/globals'
import { UserError } from '../../../src/errors.ts'
import {
  differences,
  listConcurrency,
  missingRights,
  type Wishes,
  wantedParameters,
} from '../../../src/stack/parameters.ts'

const wishes: Wishes = { sourceBucket: 'photos-old', destinationBucket: 'photos-new', maxConcurrency: 50 }
const made = { partition: 'aws', fingerprint: 'f00d' }
const wanted = (changes: Partial<Wishes> = {}, current: Record<string, string> = {}, partition = 'aws') =>
  wantedParameters({ ...wishes, ...changes }, { ...made, partition }, new Map(Object.entries(current)))

describe('wantedParameters', () => {
  test('a new stack gets the buckets of the run as ARNs, and its speed', () => {
    expect(Object.fromEntries(wanted())).toEqual({
      SourceBucketArns: 'arn:aws:s3:::photos-old',
      DestinationBucketArns: 'arn:aws:s3:::photos-new',
      S3EndpointUrl: '',
      CopyMaxConcurrency: '50',
      ListMaxConcurrency: '12',
      Fingerprint: 'f00d',
    })
  })

  test('a run with other buckets is added to those that the stack knows, once', () => {
    const current = { SourceBucketArns: 'arn:aws:s3:::films, arn:aws:s3:::photos-old' }
    expect(wanted({}, current).get('SourceBucketArns')).toBe('arn:aws:s3:::films,arn:aws:s3:::photos-old')
    expect(wanted({ sourceBucket: 'notes' }, current).get('SourceBucketArns')).toBe(
      'arn:aws:s3:::films,arn:aws:s3:::photos-old,arn:aws:s3:::notes',
    )
  })

  test('the partition is the stack’s', () => {
    expect(wanted({}, {}, 'aws-cn').get('DestinationBucketArns')).toBe('arn:aws-cn:s3:::photos-new')
  })

  test('keys and boundary are set when given and left alone when not', () => {
    const sourceKmsKey = 'arn:aws:kms:eu-west-1:111122223333:key/1'
    const permissionsBoundary = 'arn:aws:iam::111122223333:policy/b'
    const given = wanted({ sourceKmsKey, permissionsBoundary })
    expect(given.get('SourceKmsKeyArns')).toBe(sourceKmsKey)
    expect(given.get('PermissionsBoundaryArn')).toBe(permissionsBoundary)
    expect(given.has('DestinationKmsKeyArns')).toBe(false)
  })

  test('rights for ACLs and annotations are added by the run that needs them, and stay', () => {
    const given = wanted({ allowAcls: true, allowAnnotations: true })
    expect([given.get('AllowAcls'), given.get('AllowAnnotations')]).toEqual(['true', 'true'])
    expect(wanted({ allowAcls: false }, { AllowAcls: 'true' }).has('AllowAcls')).toBe(false)
  })

  test('the endpoint of S3 is the run’s, also when that is AWS’s own', () => {
    expect(wanted({ s3Endpoint: 'https://s3.example' }).get('S3EndpointUrl')).toBe('https://s3.example')
    expect(wanted({}, { S3EndpointUrl: 'https://s3.example' }).get('S3EndpointUrl')).toBe('')
  })

  test('a list that has no room left is an error that says what to do', () => {
    const full = Array.from({ length: 53 }, (_, i) => `arn:aws:s3:::${String(i).padStart(63, 'b')}`).join(',')
    expect(() => wanted({}, { SourceBucketArns: full })).toThrow(UserError)
    expect(() => wanted({}, { SourceBucketArns: full })).toThrow(/SourceBucketArns.*photos-old.*stack-name/s)
  })
})

test.each([
  [2, 2],
  [8, 2],
  [20, 5],
  [50, 12],
  [100, 25],
  [1000, 40],
])('%i copy functions go with %i list functions', (copies, lists) => {
  expect(listConcurrency(copies)).toBe(lists)
})

describe('differences', () => {
  const stack = (parameters: Record<string, string>, tags: Record<string, string> = {}) => ({
    parameters: new Map(Object.entries(parameters)),
    tags: new Map(Object.entries(tags)),
  })

  test('a stack as it is wanted has none, whatever else it has', () => {
    const has = stack({ ...Object.fromEntries(wanted()), LogRetentionDays: '30' }, { team: 'a', cost: '1' })
    expect(differences(has, wanted(), { team: 'a' })).toEqual([])
  })

  test('each parameter and tag that differs is named', () => {
    const has = stack({ ...Object.fromEntries(wanted()), CopyMaxConcurrency: '5', SourceBucketArns: '' })
    const found = differences(has, wanted(), { team: 'a' })
    expect(found).toEqual(['SourceBucketArns', 'CopyMaxConcurrency', 'tag team'])
  })

  test('what the run can’t do without is told as it is to be added to its parameters', () => {
    const sourceKmsKey = 'arn:aws:kms:eu-west-1:111122223333:key/1'
    const needs = wanted({ sourceKmsKey, allowAcls: true })
    const arn = needs.get('SourceBucketArns') as string
    const has = { ...Object.fromEntries(needs), CopyMaxConcurrency: '5' }
    expect(missingRights(stack(has), needs)).toEqual([])
    const lacks = {
      ...has,
      SourceBucketArns: 'arn:aws:s3:::other',
      SourceKmsKeyArns: '',
      AllowAcls: 'false',
    }
    expect(missingRights(stack(lacks), needs)).toEqual([
      `add ${arn} to SourceBucketArns`,
      `add ${sourceKmsKey} to SourceKmsKeyArns`,
      'set AllowAcls to true',
    ])
  })
})
