"""CloudWatch as the rig shows it: the stack's alarms, and the graphs of its dashboard."""
