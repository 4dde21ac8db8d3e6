"""Django signals about accounts. Other apps, such as the audit log, receive them, so that this app need not import the
other apps.
"""

from django.dispatch import Signal

# Sent with `user`, whose account it is about, `by` (a User, or None if nobody who is signed in did it, as for a command
# on the server), `action`, such as "second_factor.on", and `details`, a dict of values that JSON has.
account_changed = Signal()

# Sent with `user`, before an account is deactivated, in the transaction that does so. A receiver returns a list of
# sentences that say why the account must stay active for now; an empty list lets it go.
deactivating = Signal()

# Sent with `user` and `groups`, a frozenset of names, when a provider or a directory has told the groups of a person.
groups_known = Signal()
