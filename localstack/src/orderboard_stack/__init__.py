"""Where Order Board runs and what it runs on: the backends, and the deployment of template.yaml to any of them.

embedded.py and localstack.py start a backend, aws.py names a real account, deploy.py creates the stack on it, and
outputs.py turns the stack's outputs into the environment that the services read.
"""
