"""Tests that work is left to the sweep, and does not end as failed, if the database is lost in the middle of it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from django.db import OperationalError

from webapp.annotation.export import jobs as exports
from webapp.annotation.imports import jobs as mask_imports
from webapp.inference import consensus
from webapp.overview import copying
from webapp.videos import fetching, importing

AWAY = Mock(side_effect=OperationalError)


@pytest.mark.parametrize(
    ("module", "run", "lease", "step"),
    [
        (consensus, lambda pk: consensus.run(pk, AWAY), "CONSENSUS", None),
        (copying, copying.run_copy, "claim", "remove_work"),
        (exports, exports.run_export, "EXPORTS", "_format_of"),
        (mask_imports, mask_imports.run_mask_import, "MASK_IMPORTS", "_Run"),
        (importing, importing.run_import, "claim", "local_upload"),
        (fetching, fetching.run_fetch, "FETCHES", "open_source"),
    ],
)
def test_work_whose_database_goes_away_is_left_to_the_sweep(
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    tmp_path: Any,
    module: ModuleType,
    run: Callable[[int], None],
    lease: str,
    step: str | None,
) -> None:
    settings.HOME = tmp_path
    task, held = MagicMock(pk=1, fence=1), MagicMock()
    held.return_value = held.claim.return_value = task
    monkeypatch.setattr(module, lease, held)
    ends = {name: Mock() for name in ("_end", "end_import") if hasattr(module, name)}
    for name, replaced in {**ends, "beating": MagicMock(), "release_upload": Mock()}.items():
        monkeypatch.setattr(module, name, replaced, raising=False)
    if step is not None:
        monkeypatch.setattr(module, step, AWAY)
    with pytest.raises(OperationalError):
        run(1)
    assert ends
    assert not any(end.called for end in ends.values())
