"""The cashier: takes orders over HTTP and publishes each to SNS and EventBridge before it says yes.

It asks nothing of the worker, and it accepts orders without DynamoDB; only looking an order up reads the table.
"""
