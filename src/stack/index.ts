export { findStack, type Stack, type StackOutputs } from './outputs.ts'
