"""HTTP calls of projects."""

from ninja import Router

router = Router()
