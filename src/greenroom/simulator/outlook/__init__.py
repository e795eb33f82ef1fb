"""A small web mail client over the simulated store, "Outlook" enough for a demo.

It composes, edits and cancels meetings, shows inbox, calendar, answers and bodies, and follows the mailbox live. It has
no passwords and must never face anything but a demo. Bodies are hostile: they are sanitised and shown in a sandboxed
frame. Its composer can host an Outlook add-in. Only `create_outlook_app` and `AddinLink` are for others;
`python -m greenroom.simulator.outlook` tries it by hand.
"""

from greenroom.simulator.outlook.addin import AddinLink
from greenroom.simulator.outlook.app import create_outlook_app

__all__ = ["AddinLink", "create_outlook_app"]
