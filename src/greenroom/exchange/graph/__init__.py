"""Microsoft Graph: calendars of Microsoft 365 with application permissions, the only way into Exchange Online.

Requests and replies are pure functions over values (`events`, `feed`, `replies`, ...), `transport` is the thin shell that sends
them, and `limits` keeps us within what Exchange Online allows each application and mailbox. Nothing here knows of rooms.
"""
