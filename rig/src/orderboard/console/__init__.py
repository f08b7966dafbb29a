"""The console: a web page on 127.0.0.1 that shows the system, controls it and follows single orders.

The page is in `static`. Each of its actions is an AWS call, an HTTP request to order-api, or a signal to a process
that `up` started.
"""
