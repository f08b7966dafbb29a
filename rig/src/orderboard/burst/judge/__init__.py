"""The verdict on a burst: orders, thresholds and the bottleneck."""
