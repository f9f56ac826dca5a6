"""The process among others: systemd, signals, the Auto Scaling group, spot notices.

`stop` is why we stop and until when; `lifecycle` hears it from the group and from spot, and
completes the hook; `systemd` is told how we are. `give_up` judges whether an instance on which the
worker keeps failing is to be replaced, `log_copy` runs beside it and copies its log.
"""
