"""Finding out what calendar, database and platform disagree about, and bringing them together again.

`contract` holds the words of it. Nothing here decides what a meeting gets: that is the normal pass, which `Attendant.take_up` makes
over whatever is found here.
"""
