"""HTTP calls of accounts."""

from ninja import Router

router = Router()
