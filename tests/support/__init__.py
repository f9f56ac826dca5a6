"""What several test suites share: twins of AWS, sample messages, the interleaving explorer."""
