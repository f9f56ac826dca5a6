"""An AWS in one process: moto's server, corrected where it lies and the project relies on it.

A request passes `server` (HTTP, in threads), `operations` (which operation is it? count it), moto's
dispatcher, and the corrections, by service: `s3_checks` and `s3_delete` (what S3 refuses),
`s3_objects` (what it keeps), `s3_notifications` and `s3_events` (what it tells), `sns` (whom SNS
tells), `sqs_queues` (which queues may be), `sqs` over `sqs_shelf` (what waits, what is leased),
`sqs_moves` (what is redriven), `iam` (who is known to whom, who may do what).
`layer` lists the corrections and switches them on and off; `patches` is how; `speed` changes no
answer. What policies allow, `worker.operator.policy` says. `ec2` and `autoscaling` are packages of
their own; `state` tells of one instance, `ticker` lets time pass by itself. To correct another
service, write a module with `correct(layer)` and name it in `corrections.SERVICES`.
"""
