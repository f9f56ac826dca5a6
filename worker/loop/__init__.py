"""Many messages at once, on one event loop.

`receiver` takes what `workload` has room for, `lease` holds it, `handler` drives it with
`s3_calls`, `settle` carries the verdict out in a `batch`; `outage` (with `breaker`) and `pace`
hold back, `metrics` counts; `daemon` composes them, and drains. `queue_port` is what they ask of
SQS, `threads` how calls that block are made.
"""
