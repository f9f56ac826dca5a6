"""S3 and SQS on the event loop itself: HTTP/1.1 over asyncio, signed here, no thread in between.

Only the few requests that make up the work under load are spoken here; everything else, and every
place that asks for more than plain SigV4, is boto3's.

`places` finds out from botocore where requests go, `credentials` by whose keys; `sigv4` signs.
A `sender` sends over the `connection`s of a `pool`, which the `sweeper` looks after; `senders` has
one a place. `s3` (its XML in `s3_forms`) and `sqs` are the two ports.
"""
