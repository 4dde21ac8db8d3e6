"""What the rest of the software knows of flow."""

from segmentation.engine_spec import EngineSpec

FLOW = EngineSpec(
    name="flow",
    title="Flow",
    path="segmentation.engines.flow.engine:FlowEngine",
    good_at="Needs no weights. Fast on any machine; good for objects whose colours differ from what surrounds them.",
)
