"""Systems that a burst is sent to without starting one: found, checked, observed without a change."""
