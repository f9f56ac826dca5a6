"""The only place where the worker talks to AWS.

`executor` chooses who speaks to S3 and SQS: `http` on the event loop, or `s3` and `sqs` with boto3
in threads; what an error code of S3 means, for either, says `s3_replies`. `checks` look at all that
a start needs, with `bucket_checks` (permissions), `guard_probe` (conditions) and `asking`.
`listing`, `autoscaling` and `imds` ask what their names say; `clients` makes boto3's clients.
"""
