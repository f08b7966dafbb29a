"""The announcer: a Lambda that makes alerts of events and publishes them.

Follow a message from handler.py (Lambda's entry) through delivery.py (what came), alerts.py (what to say of it) to
announcer.py (say it once). wording.py has what SNS and terminals demand of text.
"""
