"""The console: a web page on 127.0.0.1 that watches the board, turns its knobs and follows one order.

Everything in the page comes from this folder's `static`. Whatever it does is an AWS call, an HTTP request to order-api
or a signal to a process that `up` started; it has no powers of its own.
"""
