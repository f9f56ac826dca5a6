"""What SQS takes of a queue's numbers, for the tests of who refuses and of who must not ask."""

BOUNDS = {
    "VisibilityTimeout": (0, 43_200),
    "MessageRetentionPeriod": (60, 1_209_600),
    "DelaySeconds": (0, 900),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "MaximumMessageSize": (1024, 1_048_576),
}
"""Rule 13a: the least and the most of each, in seconds and in bytes."""
