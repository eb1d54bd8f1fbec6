"""Personal data: sealed at rest under a key for each person, findable without being readable, and erasable.

`fields` seals values into rows, `blind` finds them again, `keys` and `keyring` hold what opens them,
`rotation` changes the keys, `registry` knows which columns of which models are personal and why they are kept.
"""
