"""The contracts between the services: menu, orders, events and their envelope, alerts, records, routing and ids.

Models and pure functions only: no input or output, no AWS clients.
"""
