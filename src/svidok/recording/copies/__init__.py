"""Second copies of sealed footage: on another disk or in a bucket, each under a key of its own.

A copy is the segment, enciphered under a key that exists once, in the row of
that copy. Destroying the key makes the copy unreadable wherever it lies, also
where a lock keeps the bytes for years: that is how footage whose time is over
goes from places that refuse to delete. What a copy holds is proved by the seal,
never by the store: restored bytes lead to the sealed root, or are not taken.
"""
