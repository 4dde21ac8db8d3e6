"""What projects tell the layers above, which they must not import."""

from django.dispatch import Signal

# Sent with `project`, inside the transaction that deletes it and before anything is gone.
project_deleting = Signal()
