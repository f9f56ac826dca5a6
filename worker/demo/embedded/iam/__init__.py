"""IAM: what it refuses (`roles`), who hears of it late (`propagation`, `principals`), who may.

With IAM enforced, a request is read (`asking`), its caller found (`callers`), what it needs listed
(`needs` and its siblings, by service), decided (`enforcement`), and refused as the service
does it (`refusals`).
"""
