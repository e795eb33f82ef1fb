"""What the parts of the recovery benchmark call each other by; apart, so that the measured process need not load the simulator."""

import job

MAILBOX = f"vmr-recovered@{job.DOMAIN}"
LOGIN = "greenroom"
PEER = "peer"
CLIENT_ID = "6d0f6d52-7c2e-4d7b-9a42-0b7f3e0b9a02"
PEER_ID = "6d0f6d52-7c2e-4d7b-9a42-0b7f3e0b9a03"
