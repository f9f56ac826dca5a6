"""S3 and SQS on the event loop itself: HTTP/1.1 over asyncio, signed here, no thread in between.

Only the few requests that make up the work under load are spoken here; everything else, and every
place that asks for more than plain SigV4, is boto3's.
"""
