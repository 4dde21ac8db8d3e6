"""The registry entry of MA-Net: its name, title and network, which can be read without importing PyTorch."""

from segmentation.engine_specs import EngineSpec, NetworkSpec, OfflinePrograms

MANET = EngineSpec(
    name="manet",
    title="MA-Net",
    published=True,
    path="segmentation.engines.manet.engine:MANetEngine",
    good_at="Looks at every frame once, then rounds are quick: good where an object needs many corrections.",
    networks=(
        NetworkSpec(
            name="manet",
            title="MA-Net",
            path="segmentation.engines.manet.network:MANet",
            config="segmentation.engines.manet.network:MANetConfig",
            folder="manet",
            source="github.com/lightas/CVPR2020_MANet; no licence to pass them on",
            official="save_step_80000.pth",
        ),
    ),
    reads_scribbles=True,
    shipped="Its weights are small: STAR is better.",
    programs=OfflinePrograms(
        objectives={"manet": "segmentation.engines.manet.objective:Objective"},
        golden={"manet": "segmentation.engines.manet.golden:compute"},
        measure="segmentation.engines.manet.measurement:measure",
        shipped_parts="segmentation.engines.manet.measurement:shipped_parts",
        paper_parts="segmentation.engines.manet.measurement:paper_parts",
    ),
)
