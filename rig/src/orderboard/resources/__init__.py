"""Resources of an account: what exists, who may send, what was lost, and why a message is missing.

It knows nothing of orders, and works with and without a deployed stack.
"""
