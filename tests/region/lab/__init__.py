"""A region on one machine: instances are systemd containers, and the AWS around them is embedded.

`base` makes the file system that every instance starts from, `images` stacks layers on it as AMIs,
`network` gives each instance an address on one bridge, `container` boots and ends one instance,
`imds` tells each instance about itself, and `region` joins them with the embedded AWS; `machines`
carries out what EC2 says. `sweep` takes away what a crash left. Needs root: see docs/region.md.
"""
