"""Lambda: functions and event source mappings that need time to change, and (on request) run."""
