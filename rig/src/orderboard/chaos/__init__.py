"""Chaos: faults drawn at random from a seed, under load, with a verdict on every order."""
