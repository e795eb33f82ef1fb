"""What Outlook shows: the add-in's manifest, its pages and scripts, and their texts.

`manifest/` writes and checks the manifest, `static/` holds the pages as they are served (plain ES modules, no build), `texts/`
their words. Nothing here answers a request: that is `web/`'s.
"""
