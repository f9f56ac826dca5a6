"""EC2, corrected: what launch templates give an instance, how images come to be, what a machine is.

`templates` (what a template may say), `launching` (what an instance gets of it), `profiles` (which
instance profiles EC2 sees), `images` (names, states, disks). `machines` is the port behind which an
instance may be a real thing (a container, a process); `turns` lets one EC2 or Auto Scaling request
at a time act, and time pass before and after it.
"""
