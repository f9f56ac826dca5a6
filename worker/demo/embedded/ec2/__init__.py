"""EC2, corrected: what launch templates give an instance, how images come to be, what a machine is.

`machines` is the port behind which an instance may be a real thing (a container, a process);
`turns` lets one EC2 or Auto Scaling request at a time act, and time pass before each.
"""
