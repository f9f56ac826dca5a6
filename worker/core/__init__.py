"""What becomes of a message: decided here, and nothing else done. No I/O.

`events` reads a body, `plan` decides what to do, `move` (with `multipart`) does it through the
requests of `port`, `verdict` judges the outcomes; `pipeline` chains them, `drive` runs them.
"""
