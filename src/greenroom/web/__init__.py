"""What browsers see: the stable join page of every room, and a sign of life for monitors.

`create_app` makes the web application; it reaches rooms only through `RoomLookup` and reads no clock of its own. Pages work
without JavaScript, set no cookie, load nothing from elsewhere, and never show a PIN.

Nothing is loaded with the room itself: commands that want a small part of it do not pay for a web server.
"""
