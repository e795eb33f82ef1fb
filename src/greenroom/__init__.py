"""Greenroom: self-hosted scheduling of virtual meeting rooms for Microsoft Exchange and Microsoft 365."""

__version__ = "0.1.0"
