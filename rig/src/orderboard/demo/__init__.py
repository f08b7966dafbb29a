"""The demo: a scripted morning rush."""
