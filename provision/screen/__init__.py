"""What people see: tables, plans, progress."""
