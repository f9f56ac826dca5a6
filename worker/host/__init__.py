"""The process among others: systemd, signals, the Auto Scaling group, spot notices."""
