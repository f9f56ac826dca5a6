"""Moves objects from one S3 prefix to another, as S3's events tell, and loses none.

`core` decides what becomes of a message, and does no I/O. `loop` does that for many messages at
once. `host` is the process among others: systemd, signals, Auto Scaling; `service` joins the two,
`lambda_handler` does without either. `operator` thinks through what a person asks, `commands`
answers (`cli` lists them). `aws` alone talks to AWS. `settings` are read by `reader`, `log` and
`errors` are everybody's. `demo` brings an AWS of its own.
"""
