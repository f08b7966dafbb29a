"""CloudFormation: stacks, change sets and their deployment."""
