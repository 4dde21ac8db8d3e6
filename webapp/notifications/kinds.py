"""The kinds of notifications. Each person can switch each kind off, for the page and for mail."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    ASSIGNED = "assigned"
    TO_REVIEW = "to_review"
    SENT_BACK = "sent_back"
    ACCEPTED = "accepted"
    PIN_ANSWERED = "pin_answered"
    IMPORT_FAILED = "import_failed"
    JOB_DUE = "job_due"
    MEMBER = "member"
    OBJECT_ASKED = "object_asked"
    WEBHOOK_OFF = "webhook_off"


# What the page calls each kind where a person switches it on and off.
TITLES: dict[Kind, str] = {
    Kind.ASSIGNED: "A job is assigned to you",
    Kind.TO_REVIEW: "A job waits for your review",
    Kind.SENT_BACK: "A job is sent back to you",
    Kind.ACCEPTED: "A job of yours is accepted",
    Kind.PIN_ANSWERED: "Somebody answers or resolves your pin",
    Kind.IMPORT_FAILED: "A video that you added cannot be imported",
    Kind.JOB_DUE: "A job of yours is due soon",
    Kind.MEMBER: "You become a member of a project, or your role changes",
    Kind.OBJECT_ASKED: "Somebody asks for an object that you hold",
    Kind.WEBHOOK_OFF: "A webhook that you made fails and is switched off",
}
