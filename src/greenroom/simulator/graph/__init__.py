"""The Graph face of "Exchange in a box": calendars, subscriptions and tokens as Microsoft Graph v1.0 shows them.

`call` holds what all parts agree on; `routes` names every operation; the face beside this folder (`graph_face`) signs in,
counts, throttles and lets faults strike.
"""
