"""What an operator asks, thought through without moving anything: check, explain, sweep."""
