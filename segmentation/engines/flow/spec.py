"""The registry entry of the engine flow: its name, title and class, which can be read without importing PyTorch."""

from segmentation.engine_specs import EngineSpec

FLOW = EngineSpec(
    name="flow",
    title="Flow",
    path="segmentation.engines.flow.engine:FlowEngine",
    good_at="Needs no weights. Fast on any machine; good for objects whose colours differ from what surrounds them.",
)
