"""docs/pictures/: what the commands show, drawn from what they print (`make pictures`)."""
