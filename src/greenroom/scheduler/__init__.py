"""The work itself: who attends which mailbox and when, and in which order things are done so that none is done twice.

It sees Exchange and the platforms only through their contracts, and stores each result before the next step.
"""
