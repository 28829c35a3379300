import { randomUUID } from 'node:crypto'
import { arn } from '../../identity.ts'
import type { Properties } from '../template.ts'
import { type Created, generatedName, type Place, type Provider } from './provider.ts'

/** A type that does nothing on one machine but has a name and an ARN. */
function inert(
  nameProperty: string,
  describe: (name: string, path: string) => Created,
  nameLength = 64,
): Provider {
  return {
    create: async (properties: Properties, place: Place) =>
      describe(
        String(properties[nameProperty] ?? generatedName(place, nameLength)),
        String(properties.Path ?? '/'),
      ),
    update: async (resource) => resource,
    delete: async () => {},
    replacedBy: [nameProperty, 'Path'],
  }
}

/** Roles, policies, log groups and keys. Nobody checks permissions here and nothing is encrypted. */
export function inertProviders(region: string): Map<string, Provider> {
  return new Map([
    [
      'AWS::IAM::Role',
      inert('RoleName', (name, path) => ({
        physicalId: name,
        attributes: { Arn: arn('iam', '', `role${path}${name}`), RoleId: `AROA${name}` },
      })),
    ],
    ['AWS::IAM::Policy', inert('PolicyName', (name) => ({ physicalId: name, attributes: {} }))],
    [
      'AWS::IAM::ManagedPolicy',
      inert('ManagedPolicyName', (name, path) => {
        const policy = arn('iam', '', `policy${path}${name}`)
        return { physicalId: policy, attributes: { PolicyArn: policy } }
      }),
    ],
    [
      'AWS::Logs::LogGroup',
      inert(
        'LogGroupName',
        (name) => ({ physicalId: name, attributes: { Arn: arn('logs', region, `log-group:${name}:*`) } }),
        512,
      ),
    ],
    [
      'AWS::KMS::Key',
      inert('', () => {
        const id = randomUUID()
        return { physicalId: id, attributes: { Arn: arn('kms', region, `key/${id}`), KeyId: id } }
      }),
    ],
  ])
}
