"""What the services agree on: the menu, the events, their envelope, the record, and how they are routed and identified.

No input or output happens here, and nothing here knows AWS clients: models and pure functions only.
"""
