"""Faults on a schedule: workers stopped, frozen, killed or scaled."""
