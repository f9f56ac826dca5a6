"""The commands, one file each: they compose the parts, and say what came of it."""
