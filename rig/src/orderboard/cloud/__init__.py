"""The services on AWS: what they cost, their images, their stacks, and how all of it is removed again."""
