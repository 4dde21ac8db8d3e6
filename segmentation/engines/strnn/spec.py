"""The registry entry of ST-RNN: its name, title and network, which can be read without importing PyTorch."""

from segmentation.engine_specs import EngineSpec, NetworkSpec, OfflinePrograms

STRNN = EngineSpec(
    name="strnn",
    title="ST-RNN",
    published=True,
    path="segmentation.engines.strnn.engine:STRNNEngine",
    good_at="Adapts to the video in closed form, then refines: best for objects of a look of their own.",
    networks=(
        NetworkSpec(
            name="strnn",
            title="ST-RNN",
            path="segmentation.engines.strnn.network:STRNN",
            config="segmentation.engines.strnn.network:STRNNConfig",
            folder="strnn",
            source="no official weights exist",
        ),
    ),
    reads_scribbles=True,
    shipped="Its weights are small: STAR is better.",
    programs=OfflinePrograms(
        objectives={"strnn": "segmentation.engines.strnn.objective:Objective"},
        measure="segmentation.engines.strnn.measurement:measure",
    ),
)
