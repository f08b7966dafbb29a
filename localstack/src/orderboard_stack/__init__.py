"""The backends that Order Board runs on, and the deployment of template.yaml to each of them.

The folder is called localstack for LocalStack's template, but it holds every backend: `local_backend` starts the
embedded one and MiniStack, `localstack` a container, `aws` names a real account. `deploy` creates the stack there, and
`outputs` turns the stack's outputs into the services' environment.
"""
