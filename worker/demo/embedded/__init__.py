"""An AWS in one process: moto's server, corrected where it lies and the project relies on it.

A request passes `server` (HTTP, in threads), `operations` (which operation is it? count it), moto's
dispatcher, and the corrections, by service: `s3_checks`, `s3_delete` and `s3_lock` (what S3
refuses, read by `s3_request`), `s3_objects` and `s3_listing` (what it keeps, what it lists),
`s3_buckets` and `s3_configuration` (whose a bucket is, what it has and takes), `s3_notifications`
and `s3_events` (what it tells), `sns` (whom SNS tells), `sqs_queues` (which queues may be), `sqs`
over `sqs_shelf` (what waits, what is leased), `sqs_moves` (what is redriven), `iam` (who is known
to whom, who may do what), `kms` (whose a key is), `cloudwatch`, `ssm` (shells on machines),
`limits` (quotas).
`layer` lists the corrections and switches them on and off; `patches` is how; `speed` changes no
answer; `clock` can be set forward. What policies allow, `worker.operator.policy` says. `ec2`,
`autoscaling` and `awslambda` are packages of their own; `state` tells of one instance, `ticker`
lets time pass by itself. To correct another
service, write a module with `correct(layer)` and name it in `corrections.SERVICES`.
"""
