"""order-api: accepts orders over HTTP, and publishes each to SNS and EventBridge before it answers 202.

It never calls the worker, and accepting orders does not need DynamoDB; only reading an order does.
"""
