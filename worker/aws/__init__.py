"""The only place where the worker talks to AWS: clients, S3, SQS, IMDS and Auto Scaling."""
