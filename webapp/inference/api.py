"""HTTP calls of inference."""

from ninja import Router

router = Router()
