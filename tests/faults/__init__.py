"""Faults that are made on purpose: processes are killed, services stop, messages are broken. Nothing may be lost."""
