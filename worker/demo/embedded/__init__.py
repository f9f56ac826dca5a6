"""An AWS in one process: moto's server, corrected where it lies and the project relies on it.

A request passes these stages: `server` (HTTP, in threads) - `operations` (which AWS operation is
it? count it) - moto's dispatcher - the corrections, one file per service: `s3_checks` and
`s3_delete` (refuse what AWS refuses), `s3_events` and `s3_notifications` (what S3 tells),
`sns` (whom SNS tells), `sqs` over `sqs_shelf` (what waits, what is leased). `layer` lists the
corrections and switches them on and off; `patches` is how; `policy` says who may send to whom.
To correct another service, write a module with `correct(layer)` and name it in `layer.SERVICES`.
"""
