"""The embedded AWS (moto made honest) and the demo that runs the whole worker on it.

The demo's parts: `account` (clients) and `pipeline` (what is created), `files` (what is uploaded),
`uploading` (which uploads it), `process` and `tally` (the worker, and what its log
tells), `look` (what is there in the end), `verify` (is that what should be? pure), `stage` (all
that runs, watched), `story` (the acts), `screen` and `report` (what one sees of it), `ending`
(signals), `show` (puts them together).
"""
