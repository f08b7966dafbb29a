"""CloudWatch: metrics, alarms that are evaluated each minute, and dashboards.

Order of reading: `metric`, `metric_store`, `statistics`, `alarm_evaluation`, `state`.
"""
