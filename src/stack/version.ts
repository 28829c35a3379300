/** The version of this action and of the stacks that it deploys; template.yaml's output `Version` says the same. */
export const VERSION = '1.0.0'
