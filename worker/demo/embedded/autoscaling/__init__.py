"""Auto Scaling, corrected: groups that launch, wait, replace and refresh as AWS's do.

`fleet` holds what moto's group lacks and takes it through time: `capacity` (how many, where),
`launch` (one instance of the group's template), `life` (one member from Pending to gone), `hooks`
(what a member waits for), `activities` (what is told of it), `refresh` (all members, in turn).
`group_api`, `member_api`, `hook_api`, `refresh_api` and `report_api` are the operations; `checks`
is what they refuse. Time passes when someone looks: what is due then happens, and what follows
starts then.
"""
