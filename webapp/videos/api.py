"""HTTP calls of videos."""

from ninja import Router

router = Router()
