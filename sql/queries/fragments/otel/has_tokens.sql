-- Whether a counter of tokens of some model is above 0.
arrayExists(used -> arraySum(used.counters) > used.counters[requests] + used.counters[unknown_requests], usage)
