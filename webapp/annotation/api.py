"""HTTP calls of annotation."""

from ninja import Router

router = Router()
